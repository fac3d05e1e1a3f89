import { describe, expect, test } from 'vitest'
import { combine } from './combine.ts'
import { meanViewIou } from './coherence.ts'
import { presets } from './presets.ts'
import { boxOf, caseMask, rewardFixture, type RewardCase } from './reward-cases.testing.ts'
import type { Truth } from './truth.ts'

/**
 * Where this package differs from the fixture's plain reading, by the rules of its parser: the value here is worked by
 * hand. `box` stands for the IoU of [10, 5, 30, 25] with the mask `rect`, 400 / 441 pixels.
 */
const box = 400 / 441
const differences: Readonly<Record<string, { accuracy?: number; iou?: number; reason: string }>> = {
  'public-031': { accuracy: 1, reason: 'a semicolon separates labels' },
  'public-033': { accuracy: 1, reason: 'a newline separates labels' },
  'public-034': { accuracy: 1, reason: 'case is ignored' },
  'public-035': { accuracy: 1, reason: 'case is ignored' },
  'public-037': { accuracy: 1, reason: 'surrounding punctuation is ignored' },
  'public-043': { accuracy: 1, reason: 'the true label is called None' },
  'public-045': { accuracy: 1, reason: 'two empty sets agree' },
  'public-048': { accuracy: 1, reason: 'the wide comma separates labels' },
  'public-049': { accuracy: 1, reason: 'the ideographic comma separates labels' },
  'public-058': { accuracy: 1, reason: 'LaTeX text commands are unwrapped' },
  'public-071': { accuracy: 1, reason: 'LaTeX text commands are unwrapped' },
  'public-072': { accuracy: 1, reason: 'LaTeX text commands are unwrapped' },
  'public-074': { accuracy: 1, reason: 'an escaped brace does not close the box' },
  'public-077': { accuracy: 1, reason: 'the Unicode form is ignored' },
  'public-080': { accuracy: 1, reason: 'invisible characters are ignored' },
  'public-087': { iou: box, reason: 'the fence says JSON in capitals' },
  'public-088': { iou: box, reason: 'the fence names another language' },
  'public-089': { iou: box, reason: 'the JSON stands without a fence' },
  'public-091': { iou: box, reason: 'a space before the language' },
  'public-094': { iou: box, reason: 'the fence is not closed' },
  'public-098': { iou: box, reason: 'an object that holds a list of boxes' },
  'public-099': { iou: box, reason: 'an object that holds a list of boxes' },
  'public-108': { iou: box, reason: 'the key bbox' },
  'public-111': { iou: box, reason: 'numbers as strings' },
  'public-131': { iou: box, reason: 'a byte order mark is white space' },
  'public-132': { iou: box, reason: 'text after the JSON is a problem, not a loss' },
  'public-135': { iou: box, reason: 'a tuple of numbers' },
  'public-137': { iou: box, reason: 'the JSON stands between single backticks' },
  'public-140': { iou: box, reason: 'several values in one fence' },
}

function truthOf({ ground_truth, mask }: RewardCase): Truth {
  return { answer: ground_truth.split(/, | and | & /), mask: caseMask(mask) }
}

/** Distance of two numbers; none and none are equal, one alone is NaN and fails every comparison. */
function distance(got: number | undefined, want: number | undefined): number {
  return got === want ? 0 : Math.abs((got ?? NaN) - (want ?? NaN))
}

function wanted({ id, paper_reading: paper }: RewardCase): {
  accuracy: number
  iou: number | undefined
  format: number
} {
  const accuracy = differences[id]?.accuracy ?? paper.acc_f1_all_separators_together
  return {
    accuracy,
    iou: differences[id]?.iou ?? paper.iou_max_half_open_pixel_centres,
    format: paper.format_label_match,
  }
}

describe('presets.paper on the fixture', () => {
  test.for(rewardFixture.cases.map(sample => [`${sample.id} ${sample.tag}`, sample] as const))('%s', ([, sample]) => {
    const { parts, score } = combine(presets.paper)(sample.response, truthOf(sample), sample.id)
    const want = wanted(sample)
    const { accuracy, iou, format } = want
    const combined =
      iou === undefined ? (0.6 * accuracy + 0.2 * format) / 0.8 : 0.6 * accuracy + 0.2 * iou + 0.2 * format
    const given = differences[sample.id] ? undefined : sample.paper_reading['combined_0.6_0.2_0.2_label_match']
    expect(distance(parts['accuracy'], accuracy)).toBeLessThan(1e-6)
    expect(distance(parts['iou'], iou)).toBeLessThan(1e-6)
    expect(distance(parts['format'], format)).toBeLessThan(1e-6)
    expect(distance(score, given ?? combined)).toBeLessThan(1e-6)
  })

  test('the listed differences are differences', () => {
    const equal = rewardFixture.cases.filter(({ id, paper_reading: paper }) => {
      const { accuracy = NaN, iou = NaN } = differences[id] ?? {}
      return accuracy === paper.acc_f1_all_separators_together || iou === paper.iou_max_half_open_pixel_centres
    })
    expect(equal).toEqual([])
  })
})

describe('meanViewIou on the fixture', () => {
  test.for(rewardFixture.coherence.map((sample, index) => [index, sample] as const))(
    'coherence case %i',
    ([, sample]) => {
      const got = meanViewIou(sample.views.map(boxOf), sample.transformed_from_other_view.map(boxOf))
      expect(got).toBeCloseTo(sample.r_coh, 6)
    },
  )
})

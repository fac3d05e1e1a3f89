import { describe, expect, test } from 'vitest'
import { combine } from '../combine.ts'
import { presets } from '../presets.ts'
import { releaseAnswer, releaseConditions } from './release-accuracy.ts'
import { boxOf, caseMask, rewardFixture } from '../reward-cases.testing.ts'

const sorted = (labels: Iterable<string>): readonly string[] => [...labels].toSorted()

describe('presets.release is the public code on the fixture', () => {
  test.for(rewardFixture.cases.map(sample => [`${sample.id} ${sample.tag}`, sample] as const))('%s', ([, sample]) => {
    const boxes = sample.gt_bbox === null ? [] : [boxOf(sample.gt_bbox)]
    const truth = { answer: [sample.ground_truth], mask: caseMask(sample.mask), boxes }
    const { parts, score, failures } = combine(presets.release)(sample.response, truth, sample.id)
    const want = sample.medical_compute_score
    expect(parts['accuracy']).toBeCloseTo(want.standard_score, 6)
    expect(parts['iou']).toBeCloseTo(want.iou_score, 6)
    expect(parts['format']).toBeCloseTo(want.format_score, 6)
    expect(parts['length']).toBeCloseTo(want.length_score, 6)
    expect(score).toBeCloseTo(want.overall, 6)
    expect(0.5 * (parts['accuracy'] ?? NaN)).toBeCloseTo(sample.medical_standard_score.overall, 6)
    expect(failures).toEqual([])
  })
})

describe('the public answer parser on the fixture', () => {
  test.for(rewardFixture.cases.map(sample => [sample.id, sample] as const))('%s', ([, sample]) => {
    expect(releaseAnswer(sample.response)).toBe(sample.boxed_mathruler)
    expect(sorted(releaseConditions(sample.boxed_mathruler))).toEqual(sorted(sample.parse_conditions))
    expect(sorted(releaseConditions(sample.ground_truth))).toEqual(sorted(sample.parse_conditions_gt))
  })
})

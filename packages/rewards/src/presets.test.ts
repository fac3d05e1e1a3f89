import { expect, test } from 'vitest'
import { combine } from './combine.ts'
import { paperWeights, presetNamed, presets } from './presets.ts'

test('the paper weights accuracy .6, IoU .2 and the auxiliary rewards .2 together', () => {
  expect(presets.paper).toEqual({ accuracy: 0.6, iou: 0.2, format: 0.2 })
  expect(paperWeights(['format', 'coherence'])).toEqual({ accuracy: 0.6, iou: 0.2, format: 0.1, coherence: 0.1 })
  expect(paperWeights([])).toEqual({ accuracy: 0.6, iou: 0.2 })
})

test('the release weights accuracy .5, IoU .3, format .1 and length .1, and keeps them where there is no mask', () => {
  const { weights, parts } = combine(presets.release)('\\boxed{A}', { answer: ['A'] })
  expect(weights).toEqual({ accuracy: 0.5, iou: 0.3, format: 0.1, length: 0.1 })
  expect(parts['iou']).toBe(0)
})

test('presetNamed finds presets and suggests', () => {
  expect(presetNamed('release')).toBe(presets.release)
  expect(() => presetNamed('papre')).toThrow(
    expect.objectContaining({ code: 'REWARDS_UNKNOWN_PRESET', hint: 'Did you mean paper?' }),
  )
})

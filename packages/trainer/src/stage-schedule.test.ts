import { describe, expect, test } from 'vitest'
import { parseConfig, type TrainConfig } from './index.ts'
import { stageSchedule } from './stage-schedule.ts'

describe('stageSchedule', () => {
  test('falls to the final rate one step after the last', () => {
    const rate = stageSchedule(stageWith({ type: 'linear', final: 0.5 }))
    expect(rate(0)).toBe(1)
    expect(rate(5)).toBeCloseTo(0.75, 12)
    expect(rate(10)).toBe(0.5)
  })

  test('falls along half a cosine, to 0 unless a rate is given', () => {
    const rate = stageSchedule(stageWith({ type: 'cosine' }))
    expect(rate(5)).toBeCloseTo(0.5, 12)
    expect(rate(9)).toBeCloseTo((1 + Math.cos(0.9 * Math.PI)) / 2, 12)
    expect(rate(10)).toBeCloseTo(0, 12)
  })
})

/** A stage of nine steps with a peak of 1. */
function stageWith(schedule: object): TrainConfig['stages'][number] {
  const stage = { name: 'warm-start', algorithm: 'sft', steps: 9, learningRate: 1, schedule }
  return parseConfig({ name: 'x', model: { preset: 'qoq-nano' }, data: { sources: [] }, stages: [stage] }).stages[0]!
}

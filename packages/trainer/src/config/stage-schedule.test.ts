import { describe, expect, test } from 'vitest'
import { parseConfig, type TrainConfig } from '../index.ts'
import { stageSchedule } from './stage-schedule.ts'

describe('stageSchedule', () => {
  test('falls to the final rate one step after the last', () => {
    const rate = stageSchedule(stageWith({ type: 'linear', final: 0.5 }))
    expect(rate(0)).toBe(2)
    expect(rate(5)).toBeCloseTo(1.25, 12)
    expect(rate(10)).toBe(0.5)
  })

  test('falls along half a cosine, to 0 unless a rate is given', () => {
    const rate = stageSchedule(stageWith({ type: 'cosine' }))
    expect(rate(5)).toBeCloseTo(1, 12)
    expect(rate(9)).toBeCloseTo(1 + Math.cos(0.9 * Math.PI), 12)
    expect(rate(10)).toBeCloseTo(0, 12)
  })

  test.for([
    { type: 'constant', final: 0.5 },
    { type: 'linear', final: 3 },
  ])('a final rate is refused where nothing falls to it: $type to $final', schedule => {
    const field = expect.stringContaining('schedule.final is wrong')
    expect(() => stageWith(schedule)).toThrow(expect.objectContaining({ code: 'TRAINER_CONFIG_FIELD', message: field }))
  })
})

/** A stage of nine steps with a peak of 2. */
function stageWith(schedule: object): TrainConfig['stages'][number] {
  const stage = { name: 'warm-start', algorithm: 'sft', steps: 9, learningRate: 2, schedule }
  return parseConfig({ name: 'x', model: { preset: 'qoq-nano' }, data: { sources: [] }, stages: [stage] }).stages[0]!
}

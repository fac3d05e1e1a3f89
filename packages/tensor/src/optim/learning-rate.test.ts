import { describe, expect, test } from 'vitest'
import { constantSchedule, cosineSchedule, linearSchedule } from './learning-rate.ts'

describe('learning-rate schedules', () => {
  const falling = { peak: 8, warmupSteps: 4, totalSteps: 12 }
  test.for([
    { name: 'constant', schedule: constantSchedule({ peak: 8 }), want: [8, 8, 8] },
    {
      name: 'constant after a warm-up',
      schedule: constantSchedule({ peak: 8, warmupSteps: 4 }),
      want: [0, 2, 4, 6, 8, 8],
    },
    { name: 'linear', schedule: linearSchedule(falling), want: [0, 2, 4, 6, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0] },
    { name: 'linear to a floor', schedule: linearSchedule({ ...falling, final: 4 }), want: [0, 2, 4, 6, 8, 7.5, 7] },
    {
      name: 'cosine',
      schedule: cosineSchedule(falling),
      want: [0, 2, 4, 6, 8, 7.69552, 4 + 4 * Math.SQRT1_2, 5.53073, 4, 2.46927, 4 - 4 * Math.SQRT1_2, 0.30448, 0, 0],
    },
    { name: 'cosine to a floor', schedule: cosineSchedule({ peak: 2, totalSteps: 2, final: 1 }), want: [2, 1.5, 1, 1] },
    { name: 'linear without room to fall', schedule: linearSchedule({ peak: 8, totalSteps: 0 }), want: [8, 0] },
  ])('$name', ({ schedule, want }) => {
    want.forEach((rate, step) => expect(schedule(step)).toBeCloseTo(rate, 5))
  })
})

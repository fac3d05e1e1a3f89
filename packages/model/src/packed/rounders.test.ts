import { describe, expect, test } from 'vitest'
import { roundBlocks } from './round-blocks.ts'
import { startRounders } from './rounders.ts'

describe('rounders', () => {
  test.for([
    { name: 'in threads', weights: 2 ** 30 },
    { name: 'in place', weights: 1 },
  ])('round to the same bits $name, whatever is waiting', async ({ weights }) => {
    const rounders = startRounders(weights)
    const jobs = Array.from({ length: 9 }, (_, job) => {
      const values = new Float32Array(new SharedArrayBuffer(4 * 64 * 100)).map((__, i) => Math.sin(i * (job + 1)))
      return { values, bits: job % 2 === 0 ? 4 : 8 } as const
    })
    const shared = jobs.map(({ values, bits }) => {
      const own = new Float32Array(new SharedArrayBuffer(values.byteLength))
      own.set(values)
      return { values: own, bits }
    })
    const got = await Promise.all(shared.map(({ values, bits }) => rounders.round(values, 100, bits)))
    await rounders.close()
    expect(got).toEqual(jobs.map(({ values, bits }) => roundBlocks(values, 100, bits)))
  })
})

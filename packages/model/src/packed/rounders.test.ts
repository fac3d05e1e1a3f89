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
      return { values, bits: job % 2 === 0 ? 4 : 8, size: job % 3 === 0 ? 64 : 32 } as const
    })
    const shared = jobs.map(({ values, ...rest }) => {
      const own = new Float32Array(new SharedArrayBuffer(values.byteLength))
      own.set(values)
      return { values: own, ...rest }
    })
    const got = await Promise.all(shared.map(({ values, bits, size }) => rounders.round(values, 100, bits, size)))
    await rounders.close()
    expect(got).toEqual(jobs.map(({ values, bits, size }) => roundBlocks(values, 100, bits, size)))
  })
})

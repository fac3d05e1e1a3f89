import sharp from 'sharp'
import { expect, test } from 'vitest'
import { createWorkPool } from './work-pool.ts'

test('pixels from a thread that decodes are shared, and counted by the collector of the thread that gets them', async () => {
  const create = { width: 3000, height: 3000, channels: 3, background: '#777' } as const
  const bytes = await sharp({ create }).png().toBuffer()
  const pool = createWorkPool({ threads: 1 })
  const before = process.memoryUsage().arrayBuffers
  const { groups } = await pool.works.decode({
    files: [{ place: 'files.0', name: 'a', bytes }],
    options: { maxPixels: 1e7 },
  })
  const counted = process.memoryUsage().arrayBuffers - before
  const { data } = groups[0]!.pictures[0]!.image
  expect(data.buffer).toBeInstanceOf(SharedArrayBuffer)
  expect(data.length).toBe(3000 * 3000 * 3)
  expect(counted).toBeGreaterThan(0.9 * data.length)
  await pool.close()
})

import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { afterAll, describe, expect, test } from 'vitest'
import { realFile, truthTable, whySkipped } from '../shared.testing.ts'
import { inspectFile } from '../inspect/inspect.ts'
import { decodeVideoFrames } from './video-decoder.ts'
import { readVideoFrames } from './video.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'qoq-video-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const specifier: string = 'node-av/api'
const hasNodeAv = await import(specifier).then(
  () => true,
  () => false,
)
const why = whySkipped || (hasNodeAv ? '' : ' (skipped: the package node-av is not installed)')

async function animation(levels: readonly number[]): Promise<Buffer> {
  const frames = Buffer.concat(levels.map(level => Buffer.alloc(6 * 4 * 3, level)))
  return sharp(frames, { raw: { width: 6, height: 4 * levels.length, channels: 3, pageHeight: 4 } })
    .gif({ dither: 0 })
    .toBuffer()
}

describe('readVideoFrames', () => {
  test('takes four interior frames of a GIF', async () => {
    const file = path.join(folder, 'a.gif')
    writeFileSync(file, await animation([0, 30, 60, 90, 120, 150, 180, 210]))
    const frames = await readVideoFrames(file)
    expect(frames.map(({ width, height }) => [width, height])).toEqual(Array.from({ length: 4 }, () => [6, 4]))
    for (const [i, level] of [30, 90, 150, 210].entries())
      expect(Math.abs(frames[i]!.data[0]! - level)).toBeLessThanOrEqual(4)
  })

  test.for([
    {
      name: 'a container that holds no video',
      file: 'a.mp4',
      want: hasNodeAv ? 'DATA_VIDEO_INVALID' : 'DATA_VIDEO_UNSUPPORTED',
    },
    { name: 'a GIF that is none', file: 'b.gif', want: 'DATA_IMAGE_UNREADABLE' },
  ])('refuses $name', async ({ file, want }) => {
    writeFileSync(path.join(folder, file), 'x')
    await expect(readVideoFrames(path.join(folder, file))).rejects.toMatchObject({ code: want })
  })
})

interface VideoTruth {
  readonly output_size_wh: readonly [number, number]
  readonly fps: number
  readonly duration_s: number
  readonly decoded_frames: number
  readonly first_frame_rgb_sha256: string
  readonly first_frame_mean: number
}

describe(`decodeVideoFrames against FFmpeg${why}`, () => {
  // As ffprobe has it; the sum of the frames' times may differ by one of them.
  test.skipIf(why !== '').for(truthTable<VideoTruth>('video').slice(0, 2))(
    '%s lasts as long',
    async ([file, truth]) => {
      const { about } = await inspectFile(realFile(file))
      expect(about?.['frames per second']).toBeCloseTo(truth.fps, 2)
      expect(Math.abs(Number(about?.['duration (s)']) - truth.duration_s)).toBeLessThan(1.01 / truth.fps)
    },
  )

  test.skipIf(why !== '').for(truthTable<VideoTruth>('video'))('%s', async ([file, truth]) => {
    // As many frames as there are, so that every position is taken once.
    const frames = await decodeVideoFrames(realFile(file), { name: file, count: truth.decoded_frames })
    expect(frames.length).toBe(truth.decoded_frames)
    expect([frames[0]!.width, frames[0]!.height]).toEqual(truth.output_size_wh)
    expect(createHash('sha256').update(frames[0]!.data).digest('hex')).toBe(truth.first_frame_rgb_sha256)
    expect(frames[0]!.data.reduce((sum, level) => sum + level, 0) / frames[0]!.data.length).toBeCloseTo(
      truth.first_frame_mean,
      6,
    )
  })
})

import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { afterAll, describe, expect, test } from 'vitest'
import { ecgRecording } from './ecg-recording.ts'
import { decodeImage } from './image.ts'
import { readVideoFrames } from './video.ts'
import { readWfdb } from './wfdb-file.ts'

const fixtures = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../fixtures')
const expected = JSON.parse(readFileSync(path.join(fixtures, 'expected.json'), 'utf8')) as {
  firstMv: Record<string, readonly (readonly number[])[]>
  rgbSha256: Record<string, string>
} // written by the oracles
const folder = mkdtempSync(path.join(tmpdir(), 'qoq-video-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('readWfdb on the generated records', () => {
  test.for(Object.entries(expected.firstMv))('%s has the first samples of wfdb-python', async ([record, samples]) => {
    const { signalMv } = ecgRecording(await readWfdb(path.join(fixtures, 'ecg', record)))
    const got = samples.map((_, i) => signalMv.map(lead => lead[i]!))
    // Both sides are float32; the fixture is rounded to 1e-7 mV.
    for (const [i, row] of samples.entries())
      for (const [lead, mv] of row.entries()) expect(Math.abs(got[i]![lead]! - mv)).toBeLessThanOrEqual(1e-6)
  })
})

describe('decodeImage on the generated pictures', () => {
  test.for(Object.entries(expected.rgbSha256))('%s is the RGB picture of Pillow', async ([file, sha256]) => {
    const { data } = await decodeImage(readFileSync(path.join(fixtures, 'images', file)))
    expect(createHash('sha256').update(data).digest('hex')).toBe(sha256)
  })
})

const animation = (levels: readonly number[]) =>
  sharp(Buffer.concat(levels.map(level => Buffer.alloc(6 * 4 * 3, level))), {
    raw: { width: 6, height: 4 * levels.length, channels: 3, pageHeight: 4 },
  })
    .gif({ dither: 0 })
    .toBuffer()

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
    { name: 'a container without a decoder', file: 'a.mp4', content: 'x', want: 'DATA_VIDEO_UNSUPPORTED' },
    { name: 'a GIF that is none', file: 'b.gif', content: 'x', want: 'DATA_IMAGE_UNREADABLE' },
  ])('refuses $name', async ({ file, content, want }) => {
    writeFileSync(path.join(folder, file), content)
    await expect(readVideoFrames(path.join(folder, file))).rejects.toMatchObject({ code: want })
  })
})

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { ecgRecording } from './ecg/ecg-recording.ts'
import { decodeImage } from './media/image.ts'
import { readWfdb } from './ecg/wfdb-file.ts'

const fixtures = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../fixtures')
const expected = JSON.parse(readFileSync(path.join(fixtures, 'expected.json'), 'utf8')) as {
  firstMv: Record<string, readonly (readonly number[])[]>
  rgbSha256: Record<string, string>
} // written by the oracles

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

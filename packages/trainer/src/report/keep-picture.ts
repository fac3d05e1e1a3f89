import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Sample } from '@qoq-med/data-climb'
import { writeWhole } from '@qoq-med/whole-file'
import { drawSample } from './draw-sample.ts'

/**
 * Keeps what samples show in a run folder, each once: their first picture with the true boxes, or the ECG.
 *
 * @returns paths in the run folder by sample id; none for samples of text alone
 * @throws the DATA errors of their files
 */
export async function keepPictures(runFolder: string, samples: readonly Sample[]): Promise<Map<string, string>> {
  await mkdir(join(runFolder, 'pictures'), { recursive: true })
  const kept = new Map<string, string>()
  for (const sample of new Set(samples)) {
    // An id is a path of its dataset, and may name a patient: its digest does neither.
    const name = `pictures/${createHash('sha256').update(sample.id).digest('hex').slice(0, 16)}.png`
    const file = join(runFolder, name)
    if (!existsSync(file)) {
      const drawing = await drawSample(sample)
      if (drawing === undefined) continue
      await writeWhole(file, drawing)
    }
    kept.set(sample.id, name)
  }
  return kept
}

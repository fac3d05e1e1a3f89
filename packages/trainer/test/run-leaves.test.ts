import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { synthesise } from '@qoq-med/data-climb'
import { parseResponse } from '@qoq-med/rewards'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exportTraces, readRollouts, train } from '../src/index.ts'
import { shortStage, smallConfig } from './small-run.ts'

let folder: string
let out: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qoq-leaves-'))
  await synthesise({ dir: join(folder, 'clinic'), seed: 7, size: 12, domains: ['ecg', 'mri'] })
  out = join(folder, 'run')
  const lora = { rank: 2, alpha: 4, targets: ['q_proj'] }
  const stage = { ...shortStage, steps: 2, questionsPerStep: 6, microbatchSize: 12, lora }
  await train(smallConfig([stage], { overrides: ['keptPictures=true'] }), { baseFolder: folder, out })
}, 120_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('what a run leaves', () => {
  test('a picture of each question that it keeps, and in its report', async () => {
    const rollouts = await readRollouts(out)
    const pictures = new Map(rollouts.map(({ id, picture }) => [id, picture]))
    expect(pictures.size).toBeGreaterThan(3)
    expect([...pictures.values()].every(picture => /^pictures\/[0-9a-f]{16}\.png$/.test(picture!))).toBe(true)
    expect((await readdir(join(out, 'pictures'))).length).toBe(pictures.size)
    const sizes = await Promise.all([...pictures].map(([id, picture]) => pngSize(id, join(out, picture!))))
    // A picture is fitted into 640 pixels; an ECG is a strip.
    const drawn = sizes.filter(({ id }) => id.startsWith('mini_clinic_mri'))
    expect(drawn.every(({ width, height }) => Math.max(width, height) === 640)).toBe(true)
    expect(sizes.filter(one => !drawn.includes(one)).every(({ width, height }) => width > height)).toBe(true)
    expect(await readFile(join(out, 'report.html'), 'utf8')).toContain('src="data:image/png;base64,iVBORw0KGgo')
  })

  test('none unless it is asked to', async () => {
    const plain = join(folder, 'plain')
    await train(smallConfig([{ ...shortStage, steps: 1 }]), { baseFolder: folder, out: plain })
    expect(await readdir(plain)).not.toContain('pictures')
    expect((await readRollouts(plain)).every(({ picture }) => picture === undefined)).toBe(true)
  })

  test('a model card with the research notice in every folder of a model', async () => {
    const checkpoints = await readdir(join(out, 'checkpoints'))
    const folders = [
      'model',
      'adapter',
      ...checkpoints.flatMap(name => [`checkpoints/${name}/model`, `checkpoints/${name}/adapter`]),
    ]
    expect(folders.length).toBeGreaterThan(5)
    for (const name of folders) {
      const card = await readFile(join(out, name, 'README.md'), 'utf8')
      expect(card).toMatch(/^---\nlibrary_name: qoq-med\n/)
      expect(card).toContain('> Research use only; not a medical device.')
      expect(card).toContain('| rl | drpo | 2 | 0.0001 |')
      expect(card).toContain('mini_clinic_ecg, mini_clinic_mri')
      expect(card).not.toContain(folder)
    }
    expect(await readFile(join(out, 'checkpoints/stage-0-step-2/model/README.md'), 'utf8')).toContain(
      'after step 2 of rl',
    )
  })

  test('its reasoning traces as a Parquet table', async () => {
    const table = join(folder, 'traces.parquet')
    const rollouts = await readRollouts(out)
    expect(await exportTraces(out, table)).toBe(rollouts.length)
    const file = await asyncBufferFromFile(table)
    expect(Number((await parquetMetadataAsync(file)).num_rows)).toBe(rollouts.length)
    const rows = await parquetReadObjects({ file })
    rows.forEach((row, i) => {
      const { id, step, response, reward, advantage, answer, picture } = rollouts[i]!
      const parsed = parseResponse(response)
      expect(row).toMatchObject({ id, step, response, reward, advantage, picture, truth: JSON.stringify(answer) })
      expect(row).toMatchObject({ reasoning: parsed.think ?? null, answer: parsed.answer ?? null })
    })
    expect(await readdir(folder)).not.toContain('traces.parquet.partial')
  })

  test('no table where nothing was kept, or nothing ran', async () => {
    await expect(exportTraces(folder, join(folder, 'none.parquet'))).rejects.toMatchObject({ code: 'TRAINER_NO_RUN' })
    const silent = join(folder, 'silent')
    const config = smallConfig([{ ...shortStage, steps: 1 }], { overrides: ['keptRollouts=0'] })
    await train(config, { baseFolder: folder, out: silent })
    const none = join(folder, 'none.parquet')
    await expect(exportTraces(silent, none)).rejects.toMatchObject({ code: 'TRAINER_NO_TRACES' })
    expect((await readdir(folder)).filter(name => name.startsWith('none'))).toEqual([])
  })
})

/** The size that a PNG's header states. */
async function pngSize(id: string, path: string): Promise<{ id: string; width: number; height: number }> {
  const png = await readFile(path)
  expect(png.subarray(1, 4).toString()).toBe('PNG')
  return { id, width: png.readUInt32BE(16), height: png.readUInt32BE(20) }
}

import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { synthesise } from '../clinic/synthesise.ts'
import type { DatasetRow } from '../dataset/dataset.ts'
import { DatasetFolder } from '../dataset/dataset-folder.ts'
import { findDataset } from '../datasets/registry.ts'
import { buildIndex } from '../store/build-index.ts'

const rows = 100_000
const dataset = 'mini_clinic_mri'
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-flat-'))
  const root = path.join(folder, 'clinic')
  await synthesise({ dir: root, seed: 3, size: 20, domains: ['mri'] })
  const definition = findDataset(dataset)
  const few = await definition.rows(new DatasetFolder(dataset, path.join(root, 'mri')), {})
  /** A hundred thousand questions about twenty pictures. */
  async function* many(): AsyncGenerator<DatasetRow> {
    for (let i = 0; i < rows; i++) {
      const row = few[i % few.length]!
      yield { ...row, key: String(i).padStart(6, '0'), patientId: String(i), split: i % 10 === 0 ? 'valid' : 'train' }
    }
  }
  await buildIndex({ ...definition, streamRows: many }, { root, out: path.join(folder, 'many.parquet'), workers: 0 })
}, 120_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Reads steps of 64 samples in the order of a run, some with their pictures, and notes the memory in use after each thousand. */
const script = (index: string, source: string) => `
import { openSources } from ${JSON.stringify(source)}
const data = await openSources([{ index: ${JSON.stringify(index)}, root: 'clinic', balanced: 'label' }], { baseFolder: ${JSON.stringify(path.dirname(index))} })
const training = data.select({ splits: ['train'] })
const used = []
for (let draw = 0; draw < 20_480; draw += 64) {
  const samples = await training.read(training.draws(draw, 64, 42))
  for (const sample of samples.slice(0, 4)) await sample.images()
  if ((draw + 64) % 1024 !== 0) continue
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  used.push(heapUsed + external)
}
console.log(JSON.stringify({ length: training.length, used }))
`

test(
  'drawing from 100,000 rows holds its memory flat after the first thousand samples',
  { timeout: 120_000 },
  async () => {
    const file = path.join(folder, 'draw.mts')
    const source = fileURLToPath(new URL('open-sources.ts', import.meta.url))
    await writeFile(file, script(path.join(folder, 'many.parquet'), source))
    const run = promisify(execFile)
    const { stdout } = await run(process.execPath, ['--expose-gc', '--conditions=@qoq-med/source', file])
    const { length, used } = JSON.parse(stdout) as { length: number; used: number[] } // what the script prints
    expect(length).toBe(rows * 0.9)
    expect(used).toHaveLength(20)
    const [early = 0] = used
    for (const later of used) expect((later - early) / 2 ** 20).toBeLessThan(8)
  },
)

// Time and memory of building an index of 10,000 and of 100,000 rows:
//   node --conditions=@qoq-med/source packages/data-climb/bench/build-index.bench.ts
// The rows are those of a small mini clinic again and again, so that only their number grows.
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildIndex, synthesise } from '../src/index.ts'

const dataset = 'mini_clinic_mri'
const [root] = process.argv.slice(2)

if (root === undefined) {
  for (const rows of [10_000, 100_000]) await measure(rows)
} else {
  const began = performance.now()
  const { files, tally } = await buildIndex(dataset, { root, out: path.join(root, 'index.parquet'), shards: 4 })
  const seconds = (performance.now() - began) / 1000
  const bytes = await Promise.all(files.map(async file => (await stat(file)).size))
  const megabytes = (bytes.reduce((sum, size) => sum + size, 0) / 1e6).toFixed(0)
  const peakMb = (process.resourceUsage().maxRSS / 1024).toFixed(0)
  console.log(`${tally.kept} rows: ${seconds.toFixed(1)} s, peak RSS ${peakMb} MB, ${megabytes} MB written`)
}

/** Builds in a process of its own, whose memory is its own. */
async function measure(rows: number): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'qoq-build-'))
  try {
    await synthesise({ dir: folder, seed: 1, size: 60, domains: ['mri'] })
    const index = path.join(folder, 'mri', 'index.jsonl')
    const lines = (await readFile(index, 'utf8')).trimEnd().split('\n')
    const grown = Array.from({ length: rows }, (_, i) => {
      const row: { patientId: string } = JSON.parse(lines[i % lines.length] ?? '{}')
      const patientId = `mri-${String(i).padStart(7, '0')}`
      return `${JSON.stringify({ ...row, key: `${patientId}-1`, patientId })}\n`
    })
    await writeFile(index, grown.join(''))
    const flags = ['--conditions=@qoq-med/source', fileURLToPath(import.meta.url), folder]
    process.stdout.write(execFileSync(process.execPath, flags))
  } finally {
    await rm(folder, { recursive: true })
  }
}

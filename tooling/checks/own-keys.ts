// Fails on a table of texts that is looked up by a text which may come from a file, without asking whether the key is its own:
// `table['constructor']` is a function of every object.
import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { packageFolders, report, typescriptFiles } from './workspace.ts'

/** Tables that are only looked up by words of ours; `file: table`. */
const ownWords: ReadonlySet<string> = new Set([
  'packages/cli/src/bench/measure-row.ts: scales',
  'packages/cli/src/experiment/experiment-differences.ts: labels',
  'packages/data-climb/src/clinic/brain-mri.ts: tumours',
  'packages/data-climb/src/clinic/chest-xray.ts: signs',
  'packages/data-climb/src/clinic/dermoscopy.ts: lesions',
  'packages/data-climb/src/clinic/fundus.ts: lesionsOfGrade',
  'packages/data-climb/src/clinic/mammography.ts: masses',
  'packages/data-climb/src/clinic/pathology.ts: tissues',
  // Single letters.
  'packages/data-climb/src/preview/stroke-font.ts: glyphs',
  'packages/rewards/src/parse/literal.ts: escapes',
  // Formats that were looked up in a list before.
  'packages/data-climb/src/wfdb/storage-formats.ts: flacBits',
  'packages/data-climb/src/wfdb/storage-formats.ts: packedFormats',
  'packages/eval/src/report/evaluation-report.ts: tableHeads',
  'packages/model/src/checkpoint/safetensors-writer.ts: infinities',
  'packages/model/src/prompt/encode-messages.ts: placeholders',
  // Codes of our own errors and of the system.
  'packages/server/src/error-response.ts: statusOf',
  'packages/server/src/listen.ts: reasons',
  'packages/tensor/src/ops/table.ts: table',
])

const declaration = /^(?:export )?const (\w+): Readonly<(?:Partial<)?Record<string, .*>> = \{/gm

/** Lists the tables below `root` that are looked up by keys that need not be their own, one sentence each. */
export function foreignKeys(root: string): string[] {
  const folders = packageFolders(root).map(folder => join(folder, 'src'))
  return folders.filter(existsSync).flatMap(folder =>
    typescriptFiles(folder)
      .filter(file => !/\.(test|testing|d)\.ts$/.test(file))
      .flatMap(file => problemsOf(relative(root, file).replaceAll('\\', '/'), readFileSync(file, 'utf8'))),
  )
}

function problemsOf(file: string, text: string): string[] {
  const tables = Array.from(text.matchAll(declaration), ([, name = '']) => name)
  return tables
    .filter(table => new RegExp(`\\b${table}\\[(?!['"])`).test(text))
    .filter(table => !text.includes(`Object.hasOwn(${table},`) && !ownWords.has(`${file}: ${table}`))
    .map(table => `${file} looks ${table} up by a key that may not be its own; use Object.hasOwn, or a Map.`)
}

if (import.meta.main) report(foreignKeys(process.cwd()), 'Tables are looked up by keys of their own.')

import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { writeWhole } from '@qoq-med/whole-file'
import { isHintedError } from '@qoq-med/errors'
import { contentHash } from '../media/content-hash.ts'
import type { DatasetFolder } from '../dataset/dataset-folder.ts'
import type { DatasetDefinition, DatasetRow } from '../dataset/dataset.ts'
import { primaryFiles } from '../open/media.ts'
import { makeSample, rowProblem } from '../open/open-dataset.ts'
import { publicLine } from '../sample/public-jsonl.ts'
import type { Sample, Split } from '../sample/sample.ts'
import { indexRowOf, type IndexRow } from './index-row.ts'

/** How closely files are looked at: sizes, also their SHA-256, or also whether they decode. */
export type ContentCheck = 'size' | 'hash' | 'decode'

/** What a build looks at and makes of it; plain data, so that a worker gets it as it is. */
export interface PieceOptions {
  readonly check: ContentCheck
  readonly seed: number
  /** Only rows of this part are kept. */
  readonly split?: Split | undefined
  /** Folder of the JSONL; its paths are relative to it. */
  readonly outFolder: string
}

/** Consecutive rows of a dataset and the file that keeps what was made of them. */
export interface PieceTask {
  readonly rows: readonly DatasetRow[]
  readonly file: string
}

/** A row that was left out: `code` and sentence of the error. */
export interface RowProblem {
  readonly code: string
  readonly message: string
  readonly hint: string
}

/** The first line of a piece. */
export interface PieceHead {
  /** Hash of the rows, the options, and size and time of every file: a piece with the same key is made already. */
  readonly key: string
  readonly kept: number
  readonly unlabelled: number
  readonly excluded: number
  readonly problems: readonly RowProblem[]
}

/** One kept row: for the Parquet index, and for the JSONL. */
export interface PieceLine {
  readonly index: IndexRow
  readonly line: string
}

/** What a build works on. */
export interface PieceContext {
  readonly definition: DatasetDefinition
  readonly folder: DatasetFolder
  readonly options: PieceOptions
}

/**
 * Makes a piece of an index, unless an earlier build left the same one. The file appears whole or not at all.
 *
 * @returns its head
 */
export async function makePiece({ rows, file }: PieceTask, context: PieceContext): Promise<PieceHead> {
  const key = await keyOf(rows, context)
  const earlier = await headOf(file)
  if (earlier?.key === key) return earlier
  const lines: PieceLine[] = []
  const problems: RowProblem[] = []
  let [unlabelled, excluded] = [0, 0]
  for (const row of rows) {
    if (row.excluded !== undefined) excluded++
    else if (row.labels.length === 0) unlabelled++
    else {
      const made = await lineOf(row, context)
      if (made === undefined) continue
      if ('index' in made) lines.push(made)
      else problems.push(made)
    }
  }
  const head: PieceHead = { key, kept: lines.length, unlabelled, excluded, problems }
  const text = [head, ...lines].map(value => `${JSON.stringify(value)}\n`).join('')
  await writeWhole(file, text)
  return head
}

/** Reads the rows of a piece. */
export async function readPiece(file: string): Promise<PieceLine[]> {
  const [, ...lines] = (await readFile(file, 'utf8')).split('\n')
  return lines.flatMap(line => (line === '' ? [] : [JSON.parse(line) as PieceLine])) // written by makePiece
}

async function headOf(file: string): Promise<PieceHead | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text === '' ? undefined : (JSON.parse(text.slice(0, text.indexOf('\n'))) as PieceHead) // written by makePiece
}

async function keyOf(rows: readonly DatasetRow[], { folder, options, definition }: PieceContext): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([definition.id, definition.labels, folder.root, options]))
  for (const row of rows) {
    hash.update(JSON.stringify(row))
    for (const file of primaryFiles(row.media)) {
      const found = await stat(folder.resolve(file, row.place)).catch(() => undefined)
      hash.update(`|${found?.size}|${found?.mtimeMs}`)
    }
  }
  return hash.digest('hex')
}

/** Makes the line of a row; nothing for a part that is not asked for. */
async function lineOf(row: DatasetRow, context: PieceContext): Promise<PieceLine | RowProblem | undefined> {
  const { definition, folder, options } = context
  const problem = await rowProblem(row, definition, folder)
  if (problem) return problem.toJSON()
  const sample = makeSample(row, { definition, folder, options: { seed: options.seed } })
  if (options.split !== undefined && sample.split !== options.split) return undefined
  const undecodable = options.check === 'decode' ? await decodeProblem(sample) : undefined
  if (undecodable) return undecodable
  const names = primaryFiles(row.media)
  const sizes = await Promise.all(sample.files.map(async file => (await stat(file)).size))
  const sha256 = options.check === 'size' ? [] : await Promise.all(sample.files.map(contentHash))
  const bytes = sizes.reduce((sum, size) => sum + size, 0)
  const line = JSON.stringify(publicLine(sample, path.resolve(options.outFolder)))
  return { index: indexRowOf(sample, row, { names, bytes, sha256 }), line }
}

async function decodeProblem(sample: Sample): Promise<RowProblem | undefined> {
  try {
    await sample.ecg?.()
    await sample.images?.()
    await sample.masks?.()
    return undefined
  } catch (problem) {
    if (isHintedError(problem)) return problem.toJSON()
    throw problem
  }
}

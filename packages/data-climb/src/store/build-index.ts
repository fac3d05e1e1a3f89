import { mkdir, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { HintedError } from '@qoq-med/errors'
import type { DatasetFolder } from '../dataset/dataset-folder.ts'
import { byCodeUnit } from '../dataset/dataset-folder.ts'
import type { DatasetDefinition, DatasetRow, RowOptions } from '../dataset/dataset.ts'
import { dataErrors } from '../errors.ts'
import { emptyDataset, locateDataset, type DatasetTally } from '../open/open-dataset.ts'
import { findDataset } from '../datasets/registry.ts'
import type { Split } from '../sample/sample.ts'
import type { ContentCheck, PieceHead, RowProblem } from './index-piece.ts'
import { shardFiles, writeShards, type PieceFile } from './index-shards.ts'
import { startPieceMaker, type PieceMaker } from './piece-maker.ts'

/** Options of `buildIndex`. */
export interface BuildIndexOptions extends RowOptions {
  /** The folder into which the dataset was unpacked. */
  readonly root: string
  /** `x.parquet` writes the index and `x.jsonl` beside it; `x.jsonl` only that. */
  readonly out: string
  /** Files to share the rows among; 1 by default. */
  readonly shards?: number
  /** How closely files are looked at; `size` by default. */
  readonly check?: ContentCheck
  readonly onError?: 'throw' | 'skip'
  /** Seed of the split by patient, where the dataset has no official one; 42 by default. */
  readonly seed?: number
  /** Only the rows of this part; the tally counts the others as rows and nothing else. */
  readonly split?: Split | undefined
  /** Threads; 0 works in this one. One less than the machine has by default. */
  readonly workers?: number
  /** Rows made at a time, which a killed build loses at most, per thread; 1,024 by default. The bytes do not depend on it. */
  readonly pieceRows?: number
  readonly signal?: AbortSignal
  /** Called after every piece; `total` is missing while the rows are still being read. */
  readonly onProgress?: (progress: BuildProgress) => void
}

/** How far a build is. */
export interface BuildProgress {
  readonly rows: number
  readonly total?: number
  readonly secondsLeft?: number
}

/** What was built. */
export interface BuildReport {
  readonly dataset: string
  readonly files: readonly string[]
  readonly tally: DatasetTally
  readonly problems: readonly RowProblem[]
}

/** Few enough that a killed build loses little, and enough that handing them to a thread costs nothing. */
const defaultPieceRows = 1024
const maxShards = 99_999

/**
 * Builds a Parquet index and the public JSONL of a dataset, in memory that does not grow with it where its rows stream.
 * Rows are made in pieces, by several threads, and put together in order, so that the bytes depend on the data and the
 * options alone. A build that was killed goes on with the pieces that are done (`<out>.building/`).
 *
 * @throws DATA_DATASET_UNKNOWN, DATA_ROOT_NOT_FOUND, DATA_DATASET_EMPTY, DATA_INDEX_INVALID, DATA_OPTION_INVALID, DATA_PACKAGE_MISSING
 * @throws the error of the first broken row unless `onError` is `skip`, and the signal's reason
 */
export async function buildIndex(
  dataset: string | DatasetDefinition,
  options: BuildIndexOptions,
): Promise<BuildReport> {
  const definition = typeof dataset === 'string' ? findDataset(dataset) : dataset
  const { shards = 1, check = 'size', seed = 42, split } = options
  const out = path.resolve(options.out)
  checkOptions(out, shards)
  const folder = await locateDataset(definition, options.root)
  const workers = typeof dataset === 'string' ? (options.workers ?? Math.max(1, availableParallelism() - 1)) : 0
  const work = `${out}.building`
  await mkdir(work, { recursive: true })
  const pieceOptions = { check, seed, split, outFolder: path.dirname(out) }
  const maker = await startPieceMaker({ definition, folder, options: pieceOptions }, workers)
  try {
    const { pieces, ...made } = await makePieces({ definition, folder, work, maker }, options)
    if (made.tally.rows === 0) throw emptyDataset(definition, options.root)
    const files = shardFiles(out, shards)
    await writeShards(pieces, files)
    await rm(work, { recursive: true, force: true })
    const names = files.flatMap(({ parquet, jsonl }) => (parquet === undefined ? [jsonl] : [parquet, jsonl]))
    return { dataset: definition.id, files: names, ...made }
  } finally {
    await maker.close()
  }
}

function checkOptions(out: string, shards: number): void {
  if (!/\.(parquet|jsonl)$/.test(out))
    throw dataErrors.OPTION_INVALID({
      name: 'out',
      value: path.basename(out),
      range: 'a file ending in .parquet or .jsonl',
    })
  if (!Number.isInteger(shards) || shards < 1 || shards > maxShards)
    throw dataErrors.OPTION_INVALID({
      name: 'shards',
      value: String(shards),
      range: `a whole number from 1 to ${maxShards}`,
    })
}

interface BuildContext {
  readonly definition: DatasetDefinition
  readonly folder: DatasetFolder
  readonly work: string
  readonly maker: PieceMaker
}

interface MadePieces {
  readonly pieces: readonly PieceFile[]
  readonly tally: DatasetTally
  readonly problems: readonly RowProblem[]
}

/** Makes all pieces, a bounded number at a time; results are taken in order, so that the first broken row is reported first. */
async function makePieces(context: BuildContext, options: BuildIndexOptions): Promise<MadePieces> {
  const { onError = 'throw', pieceRows = defaultPieceRows, signal, onProgress } = options
  const underWay: { readonly file: string; readonly rows: number; readonly head: Promise<PieceHead> }[] = []
  const pieces: PieceFile[] = []
  const problems: RowProblem[] = []
  const counts = { rows: 0, kept: 0, unlabelled: 0, excluded: 0, missing: 0, unreadable: 0 }
  const pace = paceOf()
  let total: number | undefined
  const take = async () => {
    const next = underWay.shift()
    if (!next) return
    const head = await next.head
    const [broken] = head.problems
    if (broken && onError === 'throw') throw new HintedError(broken.code, broken.message, broken.hint)
    problems.push(...head.problems)
    pieces.push({ file: next.file, kept: head.kept })
    addCounts(counts, head, next.rows)
    onProgress?.({ rows: counts.rows, ...(total !== undefined && { total, secondsLeft: pace(counts.rows, total) }) })
  }
  const source = await rowsOf(context, options)
  total = source.total
  try {
    for await (const rows of grouped(source.rows, pieceRows)) {
      signal?.throwIfAborted()
      const file = path.join(context.work, `${String(pieces.length + underWay.length).padStart(7, '0')}.jsonl`)
      const head = context.maker.make({ rows, file })
      head.catch(() => undefined) // awaited in its turn; until then a failure waits
      underWay.push({ file, rows: rows.length, head })
      if (underWay.length >= context.maker.width) await take()
    }
    while (underWay.length > 0) {
      signal?.throwIfAborted()
      await take()
    }
  } finally {
    await Promise.allSettled(underWay.map(({ head }) => head))
  }
  return { pieces, problems, tally: counts }
}

/** The rows of a dataset in a fixed order: as they stream, or sorted by key; with their number where it is known. */
async function rowsOf(
  { definition, folder }: BuildContext,
  options: RowOptions,
): Promise<{
  readonly rows: Iterable<DatasetRow> | AsyncIterable<DatasetRow>
  readonly total?: number
}> {
  if (definition.streamRows) return { rows: definition.streamRows(folder) }
  const rows = (await definition.rows(folder, options)).toSorted((a, b) => byCodeUnit(a.key, b.key))
  return { rows, total: rows.length }
}

async function* grouped<Item>(items: Iterable<Item> | AsyncIterable<Item>, size: number): AsyncGenerator<Item[]> {
  let group: Item[] = []
  for await (const item of items) {
    if (group.push(item) < size) continue
    yield group
    group = []
  }
  if (group.length > 0) yield group
}

function addCounts(counts: { -readonly [Name in keyof DatasetTally]: number }, head: PieceHead, rows: number): void {
  const missing = head.problems.filter(({ code }) => code === 'DATA_FILE_MISSING').length
  counts.rows += rows
  counts.kept += head.kept
  counts.unlabelled += head.unlabelled
  counts.excluded += head.excluded
  counts.missing += missing
  counts.unreadable += head.problems.length - missing
}

/** Seconds left at the pace so far. */
function paceOf(): (done: number, total: number) => number {
  const start = performance.now()
  return (done, total) => ((performance.now() - start) / 1000 / done) * (total - done)
}

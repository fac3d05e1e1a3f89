import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { optionalPackage } from '../files/optional-package.ts'
import { readPiece, type PieceLine } from './index-piece.ts'
import { indexColumns, indexSchema } from './index-row.ts'

/** Rows of a Parquet row group: what a reader decodes at once. */
const rowGroupRows = 1024

/** A finished piece. */
export interface PieceFile {
  readonly file: string
  readonly kept: number
}

/** The files of one shard. */
export interface ShardFiles {
  /** Absent when only the JSONL is wanted. */
  readonly parquet?: string
  readonly jsonl: string
}

/**
 * Names the shards of an output: `x.parquet` and `x.jsonl`, or `x-00000-of-00004.parquet` and so on. An output that ends
 * in `.jsonl` has no Parquet files.
 */
export function shardFiles(out: string, shards: number): ShardFiles[] {
  const extension = path.extname(out)
  const stem = out.slice(0, out.length - extension.length)
  return Array.from({ length: shards }, (_, i) => {
    const name = shards === 1 ? stem : `${stem}-${padded(i)}-of-${padded(shards)}`
    return { jsonl: `${name}.jsonl`, ...(extension !== '.jsonl' && { parquet: `${name}.parquet` }) }
  })
}

function padded(value: number): string {
  return String(value).padStart(5, '0')
}

/**
 * Puts pieces together into shards of consecutive rows, in the order of the pieces. All files are renamed into their place
 * at the end, when all are complete.
 */
export async function writeShards(pieces: readonly PieceFile[], shards: readonly ShardFiles[]): Promise<void> {
  const total = pieces.reduce((sum, { kept }) => sum + kept, 0)
  const lines = linesOf(pieces)
  const written: string[] = []
  try {
    for (const [i, shard] of shards.entries()) {
      const count = Math.floor(((i + 1) * total) / shards.length) - Math.floor((i * total) / shards.length)
      written.push(shard.jsonl, ...(shard.parquet === undefined ? [] : [shard.parquet]))
      await writeShard(taken(lines, count), shard)
    }
  } catch (error) {
    for (const file of written) await rm(`${file}.part`, { force: true })
    throw error
  }
  for (const file of written) await rename(`${file}.part`, file)
}

async function* linesOf(pieces: readonly PieceFile[]): AsyncGenerator<PieceLine> {
  for (const { file } of pieces) yield* await readPiece(file)
}

/** The next lines of an iterator that goes on afterwards. */
async function* taken(lines: AsyncGenerator<PieceLine>, count: number): AsyncGenerator<PieceLine> {
  for (let i = 0; i < count; i++) {
    const { value, done } = await lines.next()
    if (done) return
    yield value
  }
}

async function writeShard(lines: AsyncGenerator<PieceLine>, { parquet, jsonl }: ShardFiles): Promise<void> {
  const file = await open(`${jsonl}.part`, 'w')
  try {
    const rows = writtenRows(lines, file)
    if (parquet !== undefined) await writeParquet(`${parquet}.part`, rows)
    else while (!(await rows.next()).done);
  } finally {
    await file.close()
  }
}

/** Passes rows on and writes their lines on the way, a row group's at a time. */
async function* writtenRows(lines: AsyncGenerator<PieceLine>, file: FileHandle): AsyncGenerator<PieceLine['index']> {
  let waiting: string[] = []
  for await (const { index, line } of lines) {
    if (waiting.push(`${line}\n`) === rowGroupRows) {
      await file.write(waiting.join(''))
      waiting = []
    }
    yield index
  }
  await file.write(waiting.join(''))
}

async function writeParquet(file: string, rows: AsyncIterable<PieceLine['index']>): Promise<void> {
  const writer = await optionalPackage('hyparquet-writer', 'A Parquet index', () => import('hyparquet-writer'))
  await writer.parquetWriteRows({
    writer: writer.fileWriter(file),
    rows: rows as AsyncIterable<PieceLine['index'] & Record<string, unknown>>, // the writer looks columns up by name
    columns: [...indexColumns],
    schema: [...indexSchema],
    rowGroupSize: rowGroupRows,
    createdBy: 'qoq-med',
  })
}

import type * as Hyparquet from 'hyparquet'
import { dataErrors } from '../errors.ts'
import { storedColumns, type Columns } from './stored-row.ts'

/** An index that was opened: its bytes, read in parts, and what its end says of it. */
export interface ParquetIndex {
  readonly name: string
  readonly buffer: Hyparquet.AsyncBuffer
  readonly metadata: Hyparquet.FileMetaData
}

/** Rows of one group; `buildIndex` writes 1,024. */
const maxGroupRows = 2 ** 20
/** Bytes that a compressed one may become: Snappy copies at most 64 bytes for two. */
const maxExpansion = 64

/**
 * Opens a Parquet index and checks what its end says before anything is believed of it.
 *
 * @throws DATA_INPUT_MISSING, DATA_INDEX_INVALID
 */
export async function openParquet(file: string, name: string, parquet: typeof Hyparquet): Promise<ParquetIndex> {
  const buffer = await parquet.asyncBufferFromFile(file).catch((cause: unknown) => {
    throw dataErrors.INPUT_MISSING({ file: name }, { cause })
  })
  const metadata = await parquet.parquetMetadataAsync(buffer).catch((cause: unknown) => {
    throw invalid(name, 'it is no Parquet file', cause)
  })
  const names = new Set(metadata.schema.map(element => element.name))
  const missing = [...factColumns, ...storedColumns].find(column => !names.has(column))
  if (missing !== undefined) throw invalid(name, `it has no column "${missing}"`)
  const rows = metadata.row_groups.map(group => Number(group.num_rows))
  const total = rows.reduce((sum, count) => sum + count, 0)
  const isCounted = rows.every(count => Number.isInteger(count) && count >= 0 && count <= maxGroupRows)
  if (!isCounted || total !== Number(metadata.num_rows)) throw invalid(name, 'its numbers of rows do not fit')
  return { name, buffer, metadata }
}

/**
 * The columns that say what a row is without making its sample. Of the answer the row's own labels are read: the reader of Parquet lists
 * does not end on some damaged ones.
 */
export const factColumns = ['id', 'dataset', 'domain', 'split', 'question', 'row'] as const

/**
 * Reads some rows of an index, column by column, so that no failure of one is left behind by another. JSON is left as text,
 * since of a group of rows few may be wanted.
 *
 * @throws DATA_INDEX_INVALID when they are damaged
 */
export async function parquetColumns(
  { name, buffer, metadata }: ParquetIndex,
  { start, rows }: { readonly start: number; readonly rows: number },
  columns: readonly string[],
  parquet: typeof Hyparquet,
): Promise<Columns> {
  const schema = metadata.schema.map(asText)
  const read = async (column: string): Promise<readonly unknown[]> => {
    const options = { file: buffer, metadata: { ...metadata, schema }, rowStart: start, rowEnd: start + rows }
    const compressors = boundedSnappy(parquet)
    const found = await parquet.parquetReadObjects({ ...options, columns: [column], compressors })
    return found.map(row => row[column])
  }
  const values = new Map<string, readonly unknown[]>()
  try {
    for (const column of columns) values.set(column, await read(column))
  } catch (cause) {
    throw invalid(name, 'its rows cannot be read', cause)
  }
  return values
}

/** A column of JSON as one of texts. */
function asText(element: Hyparquet.SchemaElement): Hyparquet.SchemaElement {
  if (element.converted_type !== 'JSON') return element
  const { name, type, repetition_type } = element
  return { name, converted_type: 'UTF8', ...(type && { type }), ...(repetition_type && { repetition_type }) }
}

/** The library's Snappy, for pages that do not claim to become more than Snappy can make of them. */
function boundedSnappy(parquet: typeof Hyparquet): Hyparquet.Compressors {
  return {
    SNAPPY: (input, length) => {
      if (!(length >= 0 && length <= input.length * maxExpansion)) throw new RangeError('a page claims too many bytes')
      const page = new Uint8Array(length)
      parquet.snappyUncompress(input, page)
      return page
    },
  }
}

function invalid(file: string, problem: string, cause?: unknown): Error {
  return dataErrors.INDEX_INVALID({ dataset: 'built', file, problem }, { cause })
}

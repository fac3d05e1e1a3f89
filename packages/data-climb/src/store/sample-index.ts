import path from 'node:path'
import type { DatasetFolder } from '../dataset/dataset-folder.ts'
import { dataErrors } from '../errors.ts'
import { locateDataset, makeSample } from '../open/open-dataset.ts'
import { optionalPackage } from '../files/optional-package.ts'
import { findDataset } from '../datasets/registry.ts'
import type { Sample } from '../sample/sample.ts'
import { openParquet, parquetRows, type ParquetIndex } from './parquet-rows.ts'
import type { StoredRow } from './stored-row.ts'

/** An opened index: its samples by number or one after the other. Media are read from the dataset's folder when asked for. */
export interface SampleIndex {
  readonly length: number
  /** The sample of a row; the row group around it is kept, so that neighbours are cheap. */
  readonly at: (row: number) => Promise<Sample>
  readonly samples: () => AsyncGenerator<Sample>
}

interface Part extends ParquetIndex {
  /** First row of every row group, in rows of the index. */
  readonly starts: readonly { readonly row: number; readonly rows: number; readonly local: number }[]
}

/** Row groups whose rows are kept: enough for an order that mixes a few datasets. */
const keptGroups = 16

/**
 * Opens an index that `buildIndex` wrote.
 *
 * @param files one index, or its shards in their order
 * @param root the folder that was given to the build; it may have moved since
 * @throws DATA_PACKAGE_MISSING, DATA_INPUT_MISSING, DATA_INDEX_INVALID, DATA_DATASET_UNKNOWN, DATA_ROOT_NOT_FOUND
 */
export async function openIndex(
  files: string | readonly string[],
  { root }: { readonly root: string },
): Promise<SampleIndex> {
  const parquet = await optionalPackage('hyparquet', 'A Parquet index', () => import('hyparquet'))
  const parts: Part[] = []
  let length = 0
  for (const file of [files].flat()) {
    const part = partOf(await openParquet(file, path.basename(file), parquet), length)
    parts.push(part)
    length += Number(part.metadata.num_rows)
  }
  const kept = new Map<number, Promise<Sample[]>>()
  const folders = new Map<string, Promise<DatasetFolder>>()
  const groupAt = (row: number): { part: Part; group: Part['starts'][number] } => {
    for (const part of parts)
      for (const group of part.starts) if (row >= group.row && row < group.row + group.rows) return { part, group }
    throw dataErrors.OPTION_INVALID({
      name: 'row',
      value: String(row),
      range: `a whole number from 0 to ${length - 1}`,
    })
  }
  const samplesOf = ({ part, group }: ReturnType<typeof groupAt>): Promise<Sample[]> => {
    const found = kept.get(group.row)
    if (found) return found
    const read = parquetRows(part, { start: group.local, rows: group.rows }, parquet).then(rows =>
      Promise.all(rows.map(row => sampleOf(row, { root, folders }))),
    )
    kept.set(group.row, read)
    for (const oldest of kept.keys()) if (kept.size > keptGroups) kept.delete(oldest)
    return read
  }
  return {
    length,
    at: async row => {
      const place = groupAt(row)
      return (await samplesOf(place))[row - place.group.row]! // the group holds the row
    },
    samples: async function* () {
      for (const part of parts) for (const group of part.starts) yield* await samplesOf({ part, group })
    },
  }
}

function partOf(index: ParquetIndex, first: number): Part {
  let local = 0
  const starts = index.metadata.row_groups.map(({ num_rows }) => {
    const start = { row: first + local, rows: Number(num_rows), local }
    local += Number(num_rows)
    return start
  })
  return { ...index, starts }
}

interface SampleSource {
  readonly root: string
  readonly folders: Map<string, Promise<DatasetFolder>>
}

/** The sample of an index row: question and split as they were built. */
async function sampleOf(stored: StoredRow, { root, folders }: SampleSource): Promise<Sample> {
  const definition = findDataset(stored.dataset)
  const folder = folders.get(stored.dataset) ?? locateDataset(definition, root)
  folders.set(stored.dataset, folder)
  const sample = makeSample(stored.row, { definition, folder: await folder, options: { root } })
  return { ...sample, split: stored.split, question: stored.question }
}

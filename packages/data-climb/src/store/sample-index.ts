import path from 'node:path'
import type { DatasetFolder } from '../dataset/dataset-folder.ts'
import { findDataset } from '../datasets/registry.ts'
import { dataErrors } from '../errors.ts'
import { optionalPackage } from '../files/optional-package.ts'
import { locateDataset, makeSample } from '../open/open-dataset.ts'
import { FactTable } from '../sample/sample-facts.ts'
import type { SampleSource } from '../sample/sample-source.ts'
import type { Sample } from '../sample/sample.ts'
import { GroupCache } from './group-cache.ts'
import { factColumns, openParquet, parquetColumns, type ParquetIndex } from './parquet-rows.ts'
import { parseFactRow, parseStoredRow, storedColumns, type StoredRow } from './stored-row.ts'

/** An opened index: its samples by number or one after the other. Media are read from the dataset's folder when asked for. */
export interface SampleIndex extends SampleSource {
  /** The sample of a row; the row group around it is kept, so that neighbours are cheap. */
  readonly at: (row: number) => Promise<Sample>
  readonly samples: () => AsyncGenerator<Sample>
}

/** A row group of one of the files. */
interface Group {
  readonly part: ParquetIndex
  /** Its first row among all, and in its file. */
  readonly first: number
  readonly start: number
  readonly rows: number
}

/**
 * Opens an index that `buildIndex` wrote. What is known of its rows is read through once, in six bytes a row; row groups that
 * samples are made from are kept up to 64 MiB.
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
  const groups: Group[] = []
  const facts = new FactTable()
  for (const file of [files].flat())
    groups.push(...groupsOf(await openParquet(file, path.basename(file), parquet), groups.at(-1)))
  for (const group of groups) {
    const columns = await parquetColumns(group.part, group, factColumns, parquet)
    for (let i = 0; i < group.rows; i++) facts.add(parseFactRow(columns, i, labelsOf) ?? damaged(group, i))
  }
  const cache = new GroupCache(({ part, ...range }: Group) => parquetColumns(part, range, storedColumns, parquet))
  const folders = new Map<string, Promise<DatasetFolder>>()
  const sampleAt = async (row: number): Promise<Sample> => {
    const group = groups[groups.findLastIndex(({ first }) => first <= row)]! // `read` checks the row
    const stored = parseStoredRow(await cache.columnsOf(group), row - group.first) ?? damaged(group, row - group.first)
    return sampleOf(stored, { root, folders })
  }
  const read = async (rows: readonly number[]): Promise<Sample[]> => {
    for (const row of rows) checkRow(row, facts.length)
    const samples: Sample[] = []
    // In the order of the file, so that a row group is read once whatever the order asked for.
    for (const place of [...rows.keys()].toSorted((a, b) => rows[a]! - rows[b]!))
      samples[place] = await sampleAt(rows[place]!)
    return samples
  }
  return {
    length: facts.length,
    facts,
    skipped: 0,
    read,
    at: async row => (await read([row]))[0]!, // one sample a row
    samples: async function* () {
      for (let row = 0; row < facts.length; row++) yield await sampleAt(row)
    },
  }
}

function labelsOf(dataset: string): readonly string[] {
  return findDataset(dataset).labels
}

function groupsOf(part: ParquetIndex, last: Group | undefined): Group[] {
  let first = last === undefined ? 0 : last.first + last.rows
  let start = 0
  return part.metadata.row_groups.map(({ num_rows }) => {
    const group = { part, first, start, rows: Number(num_rows) }
    first += group.rows
    start += group.rows
    return group
  })
}

function checkRow(row: number, length: number): void {
  if (Number.isInteger(row) && row >= 0 && row < length) return
  throw dataErrors.OPTION_INVALID({ name: 'row', value: String(row), range: `a whole number from 0 to ${length - 1}` })
}

function damaged({ part, start }: Group, row: number): never {
  throw dataErrors.INDEX_INVALID({ dataset: 'built', file: part.name, problem: `row ${start + row} is damaged` })
}

interface SampleContext {
  readonly root: string
  readonly folders: Map<string, Promise<DatasetFolder>>
}

/** The sample of an index row: question and split as they were built. */
async function sampleOf(stored: StoredRow, { root, folders }: SampleContext): Promise<Sample> {
  const definition = findDataset(stored.dataset)
  const folder = folders.get(stored.dataset) ?? locateDataset(definition, root)
  folders.set(stored.dataset, folder)
  const sample = makeSample(stored.row, { definition, folder: await folder, options: {} })
  return { ...sample, split: stored.split, question: stored.question }
}

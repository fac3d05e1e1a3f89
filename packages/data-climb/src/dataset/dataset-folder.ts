import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { isHintedError } from '@qoq-med/errors'
import { parse } from 'csv-parse'
import { dataErrors } from '../errors.ts'
import { filesBelow, readRegularFile, visibleEntries } from '../files/folder-entries.ts'

/** A row of a CSV index: cells by column name, and the place to name in errors. */
export interface CsvRow {
  readonly cells: Readonly<Record<string, string>>
  readonly place: string
}

/** A row of an index may have this many characters; a report of a thousand lines has fewer. */
const maxRowCharacters = 2 ** 20

/** A dataset's folder on disk: paths are relative, `/`-separated, and never leave it. */
export class DatasetFolder {
  readonly dataset: string
  readonly root: string

  constructor(dataset: string, root: string) {
    this.dataset = dataset
    this.root = path.resolve(root)
  }

  /**
   * Turns a relative path into an absolute one.
   *
   * @throws DATA_PATH_UNSAFE when it leaves the folder
   */
  resolve(relative: string, place = relative): string {
    const absolute = path.resolve(this.root, relative)
    const isInside = absolute === this.root || absolute.startsWith(this.root + path.sep)
    if (!isInside || relative.includes('\0')) throw dataErrors.PATH_UNSAFE({ dataset: this.dataset, row: place })
    return absolute
  }

  /**
   * Names of the files in a folder, sorted by code unit; empty when the folder is missing. Links count as what they point
   * at; what begins with a dot, such as the `._x` companions of a Mac, is left out.
   */
  async list(relative: string, suffixes: readonly string[] = ['']): Promise<string[]> {
    try {
      const { files } = await visibleEntries(this.resolve(relative))
      return files.filter(name => hasSuffix(name, suffixes)).toSorted(byCodeUnit)
    } catch {
      return []
    }
  }

  /** Paths of all files below a folder, relative to the root and sorted, by the rules of `list`. */
  async listDeep(relative: string, suffixes: readonly string[] = ['']): Promise<string[]> {
    try {
      const files = await filesBelow(this.resolve(relative))
      const slashed = files.map(file => path.relative(this.root, file).split(path.sep).join('/'))
      return slashed.filter(file => hasSuffix(file, suffixes)).toSorted(byCodeUnit)
    } catch {
      return []
    }
  }

  /** Size of a file in bytes, or undefined when it is missing. */
  async size(relative: string): Promise<number | undefined> {
    try {
      const found = await stat(this.resolve(relative))
      return found.isFile() ? found.size : undefined
    } catch {
      return undefined
    }
  }

  /** Bytes of a file. @throws DATA_FILE_MISSING, also for a folder, a device or a pipe */
  async read(relative: string): Promise<Uint8Array> {
    const bytes = await readRegularFile(this.resolve(relative))
    if (bytes === undefined) throw dataErrors.FILE_MISSING({ dataset: this.dataset, row: relative, file: relative })
    return bytes
  }

  /**
   * Reads a CSV or TSV index with a header row, gzipped or not, with or without a byte order mark.
   *
   * @throws DATA_INDEX_INVALID when it is missing, malformed or lacks a column
   */
  async readCsv(relative: string, columns: readonly string[], { encoding = 'utf-8' } = {}): Promise<CsvRow[]> {
    const rows: CsvRow[] = []
    for await (const row of this.streamCsv(relative, columns, { encoding, isWhole: true })) rows.push(row)
    return rows
  }

  /**
   * Reads a CSV or TSV table row by row, in constant memory. Cells are those of the named columns, or all when `isWhole`.
   *
   * @throws DATA_INDEX_INVALID when it is missing, malformed or lacks a column
   */
  async *streamCsv(
    relative: string,
    columns: readonly string[],
    { encoding = 'utf-8', isWhole = false } = {},
  ): AsyncGenerator<CsvRow> {
    const fail = (problem: string, cause?: unknown) =>
      dataErrors.INDEX_INVALID({ dataset: this.dataset, file: relative, problem }, { cause })
    if ((await this.size(relative)) === undefined) throw fail('it is missing')
    const wanted = new Set(columns)
    const parser = parse({
      columns: (header: string[]) => {
        const missing = columns.find(column => !header.includes(column))
        if (missing !== undefined) throw fail(`it has no column "${missing}"`)
        return isWhole ? header : header.map(name => (wanted.has(name) ? name : false))
      },
      bom: encoding === 'utf-8',
      encoding: encoding === 'utf-8' ? 'utf8' : 'latin1',
      delimiter: /\.tsv(\.gz)?$/.test(relative) ? '\t' : ',',
      skip_empty_lines: true,
      relax_column_count_less: true,
      max_record_size: maxRowCharacters,
    })
    const source = createReadStream(this.resolve(relative))
    // A failure of any part ends the parser, which throws below.
    if (relative.endsWith('.gz')) pipeline(source, createGunzip(), parser, () => undefined)
    else pipeline(source, parser, () => undefined)
    let line = 1
    try {
      for await (const cells of parser) yield { cells: cells as CsvRow['cells'], place: `${relative}:${++line}` } // columns make records of texts
    } catch (cause) {
      throw isHintedError(cause) ? cause : fail('it is no valid table', cause)
    }
  }
}

function hasSuffix(name: string, suffixes: readonly string[]): boolean {
  const lower = name.toLowerCase()
  return suffixes.some(suffix => lower.endsWith(suffix))
}

/** Orders texts by code unit, the same on every machine and locale. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

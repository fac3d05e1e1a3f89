import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { dataErrors } from './errors.ts'

/** A row of a CSV index: cells by column name, and the place to name in errors. */
export interface CsvRow {
  readonly cells: Readonly<Record<string, string>>
  readonly place: string
}

/** Indexes are read whole; the largest (RSPECT's 1.8 million rows) has 700 MB and is streamed elsewhere. */
const maxIndexBytes = 2 ** 29

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

  /** Names in a folder, sorted by code unit; empty when the folder is missing. */
  async list(relative: string, suffixes: readonly string[] = ['']): Promise<string[]> {
    try {
      const entries = await readdir(this.resolve(relative), { withFileTypes: true })
      const names = entries.filter(entry => entry.isFile()).map(entry => entry.name)
      return names.filter(name => suffixes.some(suffix => name.toLowerCase().endsWith(suffix))).toSorted(byCodeUnit)
    } catch {
      return []
    }
  }

  /** Paths of all files below a folder, relative to the root and sorted; empty when the folder is missing. */
  async listDeep(relative: string, suffixes: readonly string[] = ['']): Promise<string[]> {
    try {
      const entries = await readdir(this.resolve(relative), { withFileTypes: true, recursive: true })
      const files = entries
        .filter(entry => entry.isFile())
        .map(entry => path.relative(this.root, path.join(entry.parentPath, entry.name)))
      const slashed = files.map(file => file.split(path.sep).join('/'))
      return slashed.filter(file => suffixes.some(suffix => file.toLowerCase().endsWith(suffix))).toSorted(byCodeUnit)
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

  /** Bytes of a file; `.gz` files are inflated when `inflate` is set. */
  async read(relative: string): Promise<Uint8Array> {
    return readFile(this.resolve(relative))
  }

  /**
   * Reads a CSV or TSV index with a header row, gzipped or not, with or without a byte order mark.
   *
   * @throws DATA_INDEX_INVALID when it is missing, malformed or lacks a column
   */
  async readCsv(relative: string, columns: readonly string[], { encoding = 'utf-8' } = {}): Promise<CsvRow[]> {
    const fail = (problem: string, cause?: unknown) =>
      dataErrors.INDEX_INVALID({ dataset: this.dataset, file: relative, problem }, { cause })
    const size = await this.size(relative)
    if (size === undefined) throw fail('it is missing')
    if (size > maxIndexBytes) throw fail(`it has ${size} bytes, more than ${maxIndexBytes}`)
    const stored = await this.read(relative)
    let records: Record<string, string>[]
    try {
      const bytes = relative.endsWith('.gz') ? gunzipSync(stored, { maxOutputLength: maxIndexBytes }) : stored
      const text = new TextDecoder(encoding).decode(bytes)
      const delimiter = /\.tsv(\.gz)?$/.test(relative) ? '\t' : ','
      records = parse(text, {
        columns: true,
        bom: true,
        delimiter,
        skip_empty_lines: true,
        relax_column_count_less: true,
      })
    } catch (cause) {
      throw fail('it is no valid table', cause)
    }
    const missing = columns.find(column => records.length > 0 && !(column in records[0]!)) // length was just checked
    if (missing !== undefined) throw fail(`it has no column "${missing}"`)
    return records.map((cells, i) => ({ cells, place: `${relative}:${i + 2}` }))
  }
}

/** Orders texts by code unit, the same on every machine and locale. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

import type { CsvRow, DatasetFolder } from '../dataset/dataset-folder.ts'
import type { DatasetRow } from '../dataset/dataset.ts'

/** What a row of an index gives; the place in the index is added, and the key stands for the patient where none is given. */
export type IndexedRow = Omit<DatasetRow, 'place' | 'patientId'> & { readonly patientId?: string }

/** Makes one row per row of a CSV index. */
export async function csvRows(
  folder: DatasetFolder,
  {
    file,
    columns,
    encoding = 'utf-8',
  }: { readonly file: string; readonly columns: readonly string[]; readonly encoding?: string },
  rowOf: (cells: CsvRow['cells']) => IndexedRow,
): Promise<DatasetRow[]> {
  const rows: DatasetRow[] = []
  for await (const row of streamedCsvRows(folder, { file, columns, encoding, isWhole: true }, rowOf)) rows.push(row)
  return rows
}

/** The rows of `csvRows`, one after the other. */
export async function* streamedCsvRows(
  folder: DatasetFolder,
  {
    file,
    columns,
    ...options
  }: {
    readonly file: string
    readonly columns: readonly string[]
    readonly encoding?: string
    readonly isWhole?: boolean
  },
  rowOf: (cells: CsvRow['cells']) => IndexedRow,
): AsyncGenerator<DatasetRow> {
  for await (const { cells, place } of folder.streamCsv(file, columns, options)) {
    const row = rowOf(cells)
    yield { ...row, place, patientId: row.patientId ?? row.key }
  }
}

/** A cell's whole number, also when it is written as `2.0`; undefined when it is blank or no number. */
export function wholeCell(cell: string | undefined): number | undefined {
  const value = cell === undefined || cell.trim() === '' ? Number.NaN : Number(cell)
  return Number.isInteger(value) ? value : undefined
}

/** One picture. */
export function picture(file: string): DatasetRow['media'] {
  return { type: 'image', files: [file] }
}

/** A list with the label, or an empty one, which means that the row is unlabelled. */
export function labelled(label: string | undefined): string[] {
  return label === undefined ? [] : [label]
}

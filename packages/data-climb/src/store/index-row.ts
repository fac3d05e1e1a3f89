import type { BasicType, ColumnSource } from 'hyparquet-writer'
import type { SchemaElement } from 'hyparquet'
import type { DatasetRow } from '../dataset/dataset.ts'
import type { Sample } from '../sample/sample.ts'

/** One row of an index: what can be asked by a query, and the dataset's row as it was, from which the sample is made again. */
export interface IndexRow {
  readonly id: string
  readonly dataset: string
  readonly domain: string
  readonly split: string
  readonly patient_id: string
  readonly question: string
  /** With boxes in pixels of the pictures as stored. */
  readonly reference: string
  readonly answer: readonly string[]
  readonly labels: readonly string[]
  readonly modality: readonly string[]
  /** Relative to the dataset's folder. */
  readonly files: readonly string[]
  /** Of all files together. */
  readonly bytes: number
  /** SHA-256 of every file; empty unless the build hashed them. */
  readonly sha256: readonly string[]
  readonly row: DatasetRow
}

/** The columns of an index in their order. */
const columns: Readonly<Record<keyof IndexRow, 'text' | 'texts' | 'number' | 'json'>> = {
  id: 'text',
  dataset: 'text',
  domain: 'text',
  split: 'text',
  patient_id: 'text',
  question: 'text',
  reference: 'text',
  answer: 'texts',
  labels: 'texts',
  modality: 'texts',
  files: 'texts',
  bytes: 'number',
  sha256: 'texts',
  row: 'json',
}

const basicTypes: Readonly<Record<'text' | 'number' | 'json', BasicType>> = {
  text: 'STRING',
  number: 'DOUBLE',
  json: 'JSON',
}

/** The columns of an index for the Parquet writer. */
export const indexColumns: readonly Omit<ColumnSource, 'data'>[] = Object.entries(columns).map(([name, kind]) =>
  kind === 'texts' ? { name } : { name, type: basicTypes[kind] },
)

/** The schema of an index: lists of texts are Parquet lists, so that queries can look into them. */
export const indexSchema: readonly SchemaElement[] = [
  { name: 'root', num_children: indexColumns.length },
  ...Object.entries(columns).flatMap(([name, kind]) => schemaOf(name, kind)),
]

function schemaOf(name: string, kind: (typeof columns)[keyof IndexRow]): SchemaElement[] {
  if (kind === 'number') return [{ name, type: 'DOUBLE', repetition_type: 'REQUIRED' }]
  const text = (element: string): SchemaElement => ({
    name: element,
    type: 'BYTE_ARRAY',
    converted_type: kind === 'json' ? 'JSON' : 'UTF8',
    repetition_type: 'REQUIRED',
  })
  if (kind !== 'texts') return [text(name)]
  return [
    { name, repetition_type: 'REQUIRED', converted_type: 'LIST', num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    text('element'),
  ]
}

/** Makes the index row of a sample. */
export function indexRowOf(
  sample: Sample,
  row: DatasetRow,
  files: { readonly names: readonly string[]; readonly bytes: number; readonly sha256: readonly string[] },
): IndexRow {
  return {
    id: sample.id,
    dataset: sample.dataset,
    domain: sample.domain,
    split: sample.split,
    patient_id: sample.patientId,
    question: sample.question,
    reference: sample.reference(),
    answer: sample.answer,
    labels: sample.labels,
    modality: sample.modality,
    files: files.names,
    bytes: files.bytes,
    sha256: files.sha256,
    row,
  }
}

import { z } from 'zod'
import type { DatasetRow } from '../dataset/dataset.ts'
import type { NotedSample } from '../sample/sample-facts.ts'
import { domains } from '../sample/sample.ts'

/** Values by column, row after row; rows of the dataset are JSON texts. */
export type Columns = ReadonlyMap<string, readonly unknown[]>

const text = z.string()
const texts = z.array(text)
const split = z.enum(['train', 'valid', 'test'])
const number = z.number()
const box = z.object({ image: number.optional(), x1: number, y1: number, x2: number, y2: number })
const header = { header: text, maxSeconds: number }

const media = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('image'),
    files: texts.min(1),
    crop: z.object({ x: number, y: number, width: number, height: number }).optional(),
  }),
  z.object({ type: z.literal('ecg'), ...header }),
  z.looseObject({ type: z.literal('volume'), file: text }),
  z.object({ type: z.literal('video'), file: text }),
  z.object({ type: z.literal('record'), images: texts, header: text.optional(), maxSeconds: number.optional() }),
])

const mask = z.union([
  text,
  z.object({ file: text, code: number }),
  z.object({ largestOf: texts.min(1) }),
  z.object({ volume: text, codes: z.array(number) }),
])

const row = z.looseObject({
  key: text,
  place: text,
  patientId: text,
  labels: texts,
  media,
  split: split.optional(),
  text: text.optional(),
  demographics: text.optional(),
  form: z.enum(['full', 'short']).optional(),
  findings: z.array(z.object({ label: text, description: text.optional(), box: box.optional() })).optional(),
  masks: z.array(mask).optional(),
})

const storedRow = z.object({ dataset: text, split, question: text, row })

const factRow = z.object({
  id: text,
  dataset: text,
  domain: z.enum(domains),
  split,
  question: text,
  row: z.object({ labels: texts }),
})

/** What is read of a row of an index. */
export interface StoredRow {
  readonly dataset: string
  readonly split: 'train' | 'valid' | 'test'
  readonly question: string
  readonly row: DatasetRow
}

/** The columns that make a sample; the others are for queries. */
export const storedColumns: readonly (keyof StoredRow)[] = ['dataset', 'split', 'question', 'row']

/** Checks a row of an index; undefined where it is damaged. */
export function parseStoredRow(columns: Columns, place: number): StoredRow | undefined {
  const value = Object.fromEntries(storedColumns.map(column => [column, columns.get(column)?.[place]]))
  const parsed = storedRow.safeParse({ ...value, row: jsonOrNothing(value['row']) })
  return parsed.success ? (parsed.data as StoredRow) : undefined // zod's optional fields may be undefined, ours are absent
}

/**
 * Checks what an index says of a row; undefined where it is damaged.
 *
 * @param labelsOf the labels of a dataset, in whose order answers are
 */
export function parseFactRow(
  columns: Columns,
  place: number,
  labelsOf: (dataset: string) => readonly string[],
): NotedSample | undefined {
  const value = Object.fromEntries([...columns].map(([column, values]) => [column, values[place]]))
  const found = factRow.safeParse({ ...value, row: jsonOrNothing(value['row']) }).data
  if (!found) return undefined
  const { row: own, ...facts } = found
  return { ...facts, answer: labelsOf(facts.dataset).filter(label => own.labels.includes(label)) }
}

function jsonOrNothing(value: unknown): unknown {
  try {
    return JSON.parse(String(value))
  } catch {
    return undefined
  }
}

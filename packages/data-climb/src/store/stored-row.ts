import { z } from 'zod'
import type { DatasetRow } from '../dataset/dataset.ts'

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
  findings: z.array(z.object({ label: text, description: text.optional(), box: box.optional() })).optional(),
  masks: z.array(mask).optional(),
})

const storedRow = z.object({ dataset: text, split, question: text, row })

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
export function parseStoredRow(value: unknown): StoredRow | undefined {
  const parsed = storedRow.safeParse(value)
  return parsed.success ? (parsed.data as StoredRow) : undefined // zod's optional fields may be undefined, ours are absent
}

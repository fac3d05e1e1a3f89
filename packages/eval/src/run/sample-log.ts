import { appendFile, readFile, rename, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { evalErrors } from '../errors.ts'

const Line = z.object({
  /** Hash of the sample, the policy, the prompt and the settings: a line is used again only where all are the same. */
  key: z.string(),
  sampleId: z.string(),
  dataset: z.string(),
  domain: z.string(),
  /** Hash of the patient's id: enough to draw a patient's samples together. */
  patient: z.string(),
  question: z.string(),
  response: z.string(),
  finish: z.string(),
  tokens: z.int(),
  truth: z.array(z.string()),
  predicted: z.array(z.string()),
  /** Whether the response held a boxed answer. */
  answered: z.boolean(),
  /** What stands in the box of the answer, as written. */
  answer: z.string().optional(),
  /** [x1, y1, x2, y2] each, in pixels of the picture as stored, and the picture's index where it is not the first. */
  boxes: z.array(z.array(z.number())),
  problems: z.array(z.string()),
  /** Best IoU of the response's boxes; absent where the sample has no spatial truth. */
  iou: z.number().optional(),
  /** [L] of the dataset's labels, in its order, where labels were ranked. */
  probabilities: z.array(z.number()).optional(),
  /** The patient's groups by attribute, such as sex: F. */
  groups: z.record(z.string(), z.string()).optional(),
  seconds: z.number(),
})

/** One answered sample, a line of samples.jsonl. */
export type SampleRecord = z.output<typeof Line>

/**
 * Reads the lines of an earlier, possibly killed run. A last line that was cut off is dropped from the file.
 *
 * @returns the records by key; none where there is no file
 * @throws EVAL_LOG_UNREADABLE when a whole line is not a record
 */
export async function readSampleLog(file: string): Promise<Map<string, SampleRecord>> {
  const records = await readJsonLines(file, Line)
  return new Map(records.map(record => [record.key, record]))
}

/**
 * Reads JSON lines of one shape. A last line that a kill cut off is dropped from the file.
 *
 * @returns none where there is no file
 * @throws EVAL_LOG_UNREADABLE when a whole line does not fit
 */
export async function readJsonLines<Schema extends z.ZodType>(
  file: string,
  schema: Schema,
): Promise<z.output<Schema>[]> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return ''
    throw cause
  })
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  if (whole !== text) await replaceFile(file, whole)
  const lines = whole.split('\n').slice(0, -1)
  return lines.map((line, index) => parseLine(line, schema, { file, line: index + 1 }))
}

/** Appends one record, in a single write. */
export async function appendSample(file: string, record: SampleRecord): Promise<void> {
  await appendFile(file, `${JSON.stringify(record)}\n`)
}

/** Writes a file as a whole or not at all: beside it first, then renamed over it. */
export async function replaceFile(file: string, text: string): Promise<void> {
  const partial = `${file}.partial`
  await writeFile(partial, text)
  await rename(partial, file)
}

function parseLine<Schema extends z.ZodType>(
  line: string,
  schema: Schema,
  place: { readonly file: string; readonly line: number },
): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(line))
  } catch (cause) {
    throw evalErrors.LOG_UNREADABLE(place, { cause })
  }
}

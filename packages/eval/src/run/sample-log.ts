import { createReadStream } from 'node:fs'
import { appendFile, truncate } from 'node:fs/promises'
import { createInterface } from 'node:readline'
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
  seconds: z.number(),
})

/** One answered sample, a line of samples.jsonl. */
export type SampleRecord = z.output<typeof Line>

/**
 * Reads the lines of an earlier, possibly killed run; a last line that was cut off is passed over.
 *
 * @returns the records by key; none where there is no file
 * @throws EVAL_LOG_UNREADABLE when a whole line is not a record
 */
export async function readSampleLog(file: string): Promise<Map<string, SampleRecord>> {
  const records = await readJsonLines(file, Line)
  return new Map(records.map(record => [record.key, record]))
}

/**
 * Reads JSON lines of one shape, one by one; the file is left as it is. A last line without its line break counts where it
 * is whole.
 *
 * @returns none where there is no file
 * @throws EVAL_LOG_UNREADABLE when a whole line does not fit
 */
export async function readJsonLines<Schema extends z.ZodType>(
  file: string,
  schema: Schema,
): Promise<z.output<Schema>[]> {
  const end = await wholeBytes(file)
  if (end.whole === 0 && end.size === 0) return []
  const rows: z.output<Schema>[] = []
  let number = 0
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    number++
    const text = number === 1 ? withoutMark(line) : line
    if (text.trim() === '') continue
    const row = parseLine(text, schema)
    if (row !== undefined) rows.push(row)
    else if (number <= end.lines) throw evalErrors.LOG_UNREADABLE({ file, line: number })
  }
  return rows
}

/** Takes what a kill left of a last line off a log that is written on. */
export async function mendLog(file: string): Promise<void> {
  const { whole, size } = await wholeBytes(file)
  if (whole < size) await truncate(file, whole)
}

/** Bytes up to the last line break, all bytes, and whole lines; zeros where there is no file. */
async function wholeBytes(file: string): Promise<{ whole: number; size: number; lines: number }> {
  let [whole, size, lines] = [0, 0, 0]
  try {
    for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) {
        whole = size + at + 1
        lines++
      }
      size += chunk.length
    }
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) throw cause
  }
  return { whole, size, lines }
}

function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}

/** Appends one record, in a single write. */
export async function appendSample(file: string, record: SampleRecord): Promise<void> {
  await appendFile(file, `${JSON.stringify(record)}\n`)
}

/** What does not fit is told by its place alone: a cause would quote the line. */
function parseLine<Schema extends z.ZodType>(line: string, schema: Schema): z.output<Schema> | undefined {
  try {
    return schema.safeParse(JSON.parse(line)).data
  } catch {
    return undefined
  }
}

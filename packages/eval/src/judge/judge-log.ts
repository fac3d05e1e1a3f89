import { appendFile } from 'node:fs/promises'
import { z } from 'zod'
import { readJsonLines } from '../run/sample-log.ts'

const Line = z.object({
  /** Hash of judge and prompt. */
  key: z.string(),
  id: z.string(),
  judge: z.string(),
  prompt: z.string(),
  said: z.string(),
})

/** What a judge was asked once, and what it said. */
export type JudgedLine = z.output<typeof Line>

/** Reads a judge's transcript by key; a line that a kill cut off is dropped. @throws EVAL_LOG_UNREADABLE */
export async function readJudgeLog(file: string): Promise<Map<string, JudgedLine>> {
  const lines = await readJsonLines(file, Line)
  return new Map(lines.map(line => [line.key, line]))
}

/** Appends one line, in a single write. */
export async function appendJudged(file: string, line: JudgedLine): Promise<void> {
  await appendFile(file, `${JSON.stringify(line)}\n`)
}

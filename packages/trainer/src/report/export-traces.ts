import { createReadStream, existsSync } from 'node:fs'
import { writeWhole } from '@qoq-med/whole-file'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseResponse } from '@qoq-med/rewards'
import { fileWriter, parquetWriteRows } from 'hyparquet-writer'
import { trainerErrors } from '../errors.ts'
import { requireRun } from './run-facts.ts'
import { readRolloutLine, type RolloutLine } from './run-log.ts'

/** A column of the table, and what stands in it. */
interface Column {
  readonly name: string
  readonly type: 'STRING' | 'INT32' | 'DOUBLE'
  readonly value: (rollout: RolloutLine, parsed: ReturnType<typeof parseResponse>) => string | number | null | undefined
}

/** The table of reasoning traces, a column a row; lists and records are JSON texts. */
const columns: readonly Column[] = [
  { name: 'stage', type: 'STRING', value: ({ stage }) => stage },
  { name: 'algorithm', type: 'STRING', value: ({ algorithm }) => algorithm },
  { name: 'step', type: 'INT32', value: ({ step }) => step },
  { name: 'id', type: 'STRING', value: ({ id }) => id },
  { name: 'domain', type: 'STRING', value: ({ domain }) => domain },
  { name: 'question', type: 'STRING', value: ({ question }) => question },
  { name: 'truth', type: 'STRING', value: ({ answer }) => JSON.stringify(answer) },
  { name: 'response', type: 'STRING', value: ({ response }) => response },
  { name: 'reasoning', type: 'STRING', value: (_, { think }) => think },
  { name: 'answer', type: 'STRING', value: (_, { answer }) => answer },
  { name: 'boxes', type: 'STRING', value: (_, { boxes }) => JSON.stringify(boxes) },
  { name: 'finish', type: 'STRING', value: ({ finish }) => finish },
  { name: 'reward', type: 'DOUBLE', value: ({ reward }) => reward },
  { name: 'reward_parts', type: 'STRING', value: ({ parts }) => JSON.stringify(parts) },
  { name: 'advantage', type: 'DOUBLE', value: ({ advantage }) => meanAdvantage(advantage) },
  { name: 'picture', type: 'STRING', value: ({ picture }) => picture },
]

/** Rows that are written at a time: what is in memory of a long run. */
const rowGroupRows = 1024

/**
 * Writes the reasoning traces that a run has kept as a Parquet table, one row an answer: the question, the reasoning between the
 * think tags, the answer, its reward by part and its advantage. The file is replaced as a whole.
 *
 * @returns the number of rows
 * @throws TRAINER_NO_RUN when the folder holds no run, TRAINER_NO_TRACES when it kept no answer
 */
export async function exportTraces(runFolder: string, file: string): Promise<number> {
  await requireRun(runFolder)
  let rows = 0
  const counted = async function* (): AsyncGenerator<Record<string, string | number | null>> {
    for await (const row of traceRows(runFolder)) {
      rows++
      yield row
    }
  }
  await writeWhole(file, async partial => {
    await parquetWriteRows({
      writer: fileWriter(partial),
      rows: counted(),
      columns: columns.map(({ name, type }) => ({ name, type, nullable: true })),
      rowGroupSize: rowGroupRows,
      createdBy: 'qoq-med',
    })
    if (rows === 0) throw trainerErrors.NO_TRACES({ folder: runFolder })
  })
  return rows
}

async function* traceRows(runFolder: string): AsyncGenerator<Record<string, string | number | null>> {
  const path = join(runFolder, 'samples.jsonl')
  if (!existsSync(path)) return
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    const rollout = readRolloutLine(line)
    if (!rollout) continue
    const parsed = parseResponse(rollout.response)
    yield Object.fromEntries(columns.map(({ name, value }) => [name, value(rollout, parsed) ?? null]))
  }
}

/** The advantage of a response; the mean of its tokens' where each has its own. */
function meanAdvantage(advantage: RolloutLine['advantage']): number | undefined {
  if (!Array.isArray(advantage)) return advantage
  return advantage.reduce((sum, value) => sum + value, 0) / advantage.length
}

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { jsonOrNothing } from '../run/json-or-nothing.ts'

const coordinates = {
  /** Name of the stage. */
  stage: z.string(),
  stageIndex: z.int(),
  algorithm: z.string().optional(),
  /** Counted from 1 in each stage. */
  step: z.int(),
}

const MetricsLine = z.looseObject({
  ...coordinates,
  /** Absent for a training step. */
  type: z.literal('validation').optional(),
  seconds: z.number(),
})

const RolloutLine = z.looseObject({
  ...coordinates,
  /** Id of the sample that was asked. */
  id: z.string(),
  domain: z.string(),
  /** The true labels. */
  answer: z.array(z.string()),
  /** What was asked. */
  question: z.string().optional(),
  response: z.string(),
  /** How the answer ended: by itself, or cut off at the limit. */
  finish: z.string().optional(),
  reward: z.number(),
  /** One for all tokens, or one for each. */
  advantage: z.union([z.number(), z.array(z.number())]).optional(),
  /** Its picture in the run folder, where the run keeps pictures. */
  picture: z.string().optional(),
  /** The unweighted rewards by name. */
  parts: z.record(z.string(), z.number()),
  /** The weights as used. */
  weights: z.record(z.string(), z.number()),
  /** Rewards that did not apply, with the reason. */
  skipped: z.record(z.string(), z.string()),
  /** Where the advantage came from: a few sentences, and the same as named numbers. */
  explanation: z.object({ words: z.string(), numbers: z.record(z.string(), z.number().nullable()) }),
  /** Size of the first picture as the model saw it, in pixels. */
  seen: z.object({ width: z.number(), height: z.number() }).optional(),
})

/** One line of a run's metrics.jsonl, a step or a validation; what was measured stands beside its coordinates. */
export type MetricsLine = z.output<typeof MetricsLine>
/** One line of a run's samples.jsonl: a rollout with its reward. */
export type RolloutLine = z.output<typeof RolloutLine>

/** The metrics of a run, one line a step or validation, in order; none where there is no file. What is no such line, as one that a kill cut off, is left out. */
export function readMetrics(runFolder: string): Promise<MetricsLine[]> {
  return readLines(join(runFolder, 'metrics.jsonl'), MetricsLine)
}

/** The rollouts that a run has kept, in order; none where there is no file. What is no such line, as one that a kill cut off, is left out. */
export function readRollouts(runFolder: string): Promise<RolloutLine[]> {
  return readLines(join(runFolder, 'samples.jsonl'), RolloutLine)
}

/** One line of samples.jsonl; nothing for what is no such line. */
export function readRolloutLine(line: string): RolloutLine | undefined {
  return RolloutLine.safeParse(jsonOrNothing(line)).data
}

async function readLines<Line>(path: string, schema: z.ZodType<Line>): Promise<Line[]> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return text.split('\n').flatMap(line => {
    const { success, data } = schema.safeParse(jsonOrNothing(line))
    return success ? [data] : []
  })
}

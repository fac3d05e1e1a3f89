import { z } from 'zod'
import { jsonOrNothing } from '../run/json-or-nothing.ts'

const Update = z.object({
  loss: z.number().nullable(),
  gradientNorm: z.number().nullish(),
  learningRate: z.number().nullish(),
  entropy: z.number().nullish(),
  clipFraction: z.number().nullish(),
  klPenalty: z.number().nullish(),
})

const EngineRollout = z.object({
  /** Line of rows.jsonl. */
  row: z.int().min(0),
  /** Absent where the job sends the first of a step alone. */
  response: z.string().optional(),
  tokens: z.int().min(0),
  finish: z.enum(['end', 'stop', 'length']),
  reward: z.number(),
  parts: z.record(z.string(), z.number()),
  advantage: z.number(),
  /** The sum over its tokens of k3(log π, log π_ref), where there is a reference. */
  kl: z.number().optional(),
})

const EngineStep = z.object({
  /** Counted from 1. */
  step: z.int().min(1),
  seconds: z.number(),
  times: z.record(z.string(), z.number()),
  updates: z.array(Update).min(1),
  /** Optimizer updates that `updates` is a mean of, where the engine gives no more. */
  updateCount: z.int().min(1).optional(),
  rollouts: z.array(EngineRollout).min(1),
})

/** What an engine says of a step: its rollouts in their order, and its optimizer updates. */
export type EngineStep = z.output<typeof EngineStep>

const EngineFault = z.object({ code: z.string(), message: z.string(), hint: z.string() })

/** What a job's log says, line by line. */
export interface JobLog {
  readonly steps: readonly EngineStep[]
  /** Why it ended, in its own words. */
  readonly fault?: z.output<typeof EngineFault>
  /** Where its model lies. */
  readonly model?: string
  /** The last lines that are nothing of these: an engine's own words. */
  readonly tail: readonly string[]
}

const marks = /QOQ_(STEP|ERROR|RESULT) (\{.*)$/
const tailLines = 12

/** Reads the log of a job; a step that stands there twice counts once. Lines of other processes come before ours on their lines. */
export function readJobLog(text: string): JobLog {
  const steps = new Map<number, EngineStep>()
  let [fault, model]: [JobLog['fault'], string | undefined] = [undefined, undefined]
  const tail: string[] = []
  for (const line of text.split(/[\r\n]+/)) {
    const [, mark, json = ''] = marks.exec(line) ?? []
    const value = mark === undefined ? undefined : jsonOrNothing(json.slice(0, json.lastIndexOf('}') + 1)) // Ray colours lines
    if (mark === 'STEP') {
      const step = EngineStep.safeParse(value).data
      if (step) steps.set(step.step, step)
    } else if (mark === 'ERROR') fault = EngineFault.safeParse(value).data ?? fault
    else if (mark === 'RESULT') model = z.object({ model: z.string() }).safeParse(value).data?.model ?? model
    else if (line.trim() !== '') tail.push(line.trim())
  }
  const ordered = [...steps.values()].toSorted((a, b) => a.step - b.step)
  return {
    steps: ordered,
    ...(fault && { fault }),
    ...(model !== undefined && { model }),
    tail: tail.slice(-tailLines),
  }
}

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

/** What a job's log has said so far, beside its steps. */
export interface JobLog {
  /** Number of the last step; 0 before the first. */
  readonly lastStep: number
  /** Why it ended, in its own words. */
  readonly fault?: z.output<typeof EngineFault>
  /** Where its model lies. */
  readonly model?: string
  /** The last lines that are nothing of these: an engine's own words. */
  readonly tail: readonly string[]
}

const marks = /QOQ_(STEP|ERROR|RESULT) (\{.*)$/
const tailLines = 12

/** Reads the log of a job piece by piece, as it grows; it keeps no step. */
export class JobLogReader {
  #lastStep = 0
  #fault: JobLog['fault']
  #model: string | undefined
  #tail: string[] = []
  #rest = ''

  /** What was said so far. */
  get log(): JobLog {
    return {
      lastStep: this.#lastStep,
      ...(this.#fault && { fault: this.#fault }),
      ...(this.#model !== undefined && { model: this.#model }),
      tail: this.#tail,
    }
  }

  /**
   * Takes what follows in the log, and gives the steps that it completes; one that stands there twice is given once. A line
   * that is not whole waits for its end.
   */
  push(text: string): EngineStep[] {
    const lines = (this.#rest + text).split(/[\r\n]+/)
    this.#rest = lines.pop() ?? ''
    return lines.flatMap(line => this.#read(line))
  }

  /** Takes the last line as whole: nothing follows. */
  end(): EngineStep[] {
    return this.push('\n')
  }

  /** Lines of other processes come before ours on their lines. */
  #read(line: string): EngineStep[] {
    const [, mark, json = ''] = marks.exec(line) ?? []
    const value = mark === undefined ? undefined : jsonOrNothing(json.slice(0, json.lastIndexOf('}') + 1)) // Ray colours lines
    if (mark === 'STEP') return this.#step(value)
    if (mark === 'ERROR') this.#fault = EngineFault.safeParse(value).data ?? this.#fault
    else if (mark === 'RESULT')
      this.#model = z.object({ model: z.string() }).safeParse(value).data?.model ?? this.#model
    else if (line.trim() !== '') this.#tail = [...this.#tail, line.trim()].slice(-tailLines)
    return []
  }

  #step(value: unknown): EngineStep[] {
    const step = EngineStep.safeParse(value).data
    if (!step || step.step <= this.#lastStep) return []
    this.#lastStep = step.step
    return [step]
  }
}

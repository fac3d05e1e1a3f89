import type { ExecutorDevice } from '@qoq-med/tensor'

/** What can be measured; `measures.ts` has the code of each. */
export const measureNames = [
  'adamw-step',
  'drpo',
  'generation',
  'http-share',
  'logprob-gap',
  'packed-model',
  'policy-step',
  'score-responses',
  'served-chat',
  'metrics',
  'read-data',
  'training-step',
] as const

/** The name of a measurement of ours. */
export type MeasureName = (typeof measureNames)[number]

/** What one round of a measurement gives. */
export interface Round {
  /** How long the work took. */
  readonly seconds: number
  /** How much was done: tokens, records, files. Needed by rates. */
  readonly units?: number | undefined
  /** What was found, such as a difference. Needed by values. */
  readonly value?: number | undefined
  /** Seconds of the parts of the work, by name. */
  readonly parts?: Readonly<Record<string, number>> | undefined
  /** The largest resident memory of the process so far. */
  readonly peakRssBytes: number
}

/** How rounds become a figure. */
export interface Figure {
  readonly of: (round: Round) => number
  /** Which of the rounds' figures counts. */
  readonly best: (figures: readonly number[]) => number
  readonly isMet: (figure: number, target: number) => boolean
  readonly sign: '≤' | '≥'
}

const atMost = { isMet: (figure: number, target: number) => figure <= target, sign: '≤' } as const

/** The kinds of figures. The fastest round counts, and the worst of what must stay small: `memory` is the process's peak. */
export const figures = {
  time: { of: ({ seconds }) => seconds, best: all => Math.min(...all), ...atMost },
  rate: {
    of: ({ units = 0, seconds }) => units / seconds,
    best: all => Math.max(...all),
    isMet: (figure, target) => figure >= target,
    sign: '≥',
  },
  value: { of: ({ value = Number.NaN }) => value, best: all => Math.max(...all), ...atMost },
  memory: { of: ({ peakRssBytes }) => peakRssBytes, best: all => Math.max(...all), ...atMost },
} as const satisfies Readonly<Record<string, Figure>>

/** Another program that does the same work. */
export interface BenchPeer {
  /** Its name for people. */
  readonly name: string
  /** What runs it: the interpreter of `--python`, or this Node with the modules of the folder `--llama`. */
  readonly runtime: 'python' | 'llama'
  /** File of `packages/cli/peers`. */
  readonly script: string
  /** Devices beside the CPU that it computes on. */
  readonly devices?: readonly ExecutorDevice[]
  /** Beside the row's own. */
  readonly options?: Readonly<Record<string, unknown>>
}

/** One line of the benchmark: a piece of work, who does it, and what is wanted. */
export interface BenchRow {
  /** `group/name`. */
  readonly name: string
  /** What is done, for people. */
  readonly work: string
  /** What measures ours. */
  readonly measure: MeasureName
  /** What ours and the peer are told: sizes, counts. */
  readonly options: Readonly<Record<string, unknown>>
  readonly peer?: BenchPeer
  readonly figure: keyof typeof figures
  /** Of the figure: `s`, `ms` (times are measured in seconds), `tokens/s`, `MB` (of memory, in millions of bytes). */
  readonly unit: string
  /** Wanted of ours against the peer, or of ours alone, in the row's unit. */
  readonly target?: { readonly type: 'ratio' | 'limit'; readonly value: number }
  /** Largest peak memory wanted, as a share of the peer's. */
  readonly memoryTarget?: number
  /** Rounds that count, after one that does not. Default 5. */
  readonly rounds?: number
  /** An option of the command that the row cannot do without. */
  readonly needs?: 'gguf' | 'data' | 'large'
}

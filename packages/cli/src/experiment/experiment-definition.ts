import type { Domain, SynthesiseOptions } from '@qoq-med/data-climb'
import type { ExperimentArm } from './experiment-arm.ts'

/** How samples are shared among the domains of a clinic. */
export type ExperimentPreset = 'imbalanced' | 'balanced'

/** What an experiment is run with; the same settings give the same numbers. */
export interface ExperimentSettings {
  /** Seeds of order and sampling; an arm is run once with each. */
  readonly seeds: number
  /** Samples of the clinic that trains. */
  readonly clinicSize: number
  /** Samples of the clinic that judges: other patients, evenly shared among the domains. */
  readonly judgedSize: number
  /** Steps of the supervised warm start. */
  readonly warmSteps: number
  /** Steps of each algorithm. */
  readonly steps: number
  readonly questionsPerStep: number
  readonly groupSize: number
  readonly learningRate: number
  /** β of every arm. */
  readonly klCoefficient: number
  readonly maxNewTokens: number
}

/** A comparison of algorithms on the mini clinic: everything but what is measured. */
export interface ExperimentDefinition {
  /** Name of the command, and of the page in docs/experiments. */
  readonly name: string
  readonly title: string
  /** Its default size. */
  readonly settings: ExperimentSettings
  /** Domains of the mini clinic that take part. */
  readonly domains: readonly Domain[]
  readonly clinic: Pick<SynthesiseOptions, 'difficulty' | 'answers'>
  readonly model: Readonly<Record<string, unknown>>
  readonly rewards: unknown
  /** In the order in which they are run, seed by seed. */
  readonly arms: readonly ExperimentArm[]
  /** Id of the arm that the others are compared with. */
  readonly baseline: string
  /** Id of the arm whose difference from the baseline was named the result before the experiment was run. */
  readonly primary?: string
  /** Whether every seed has a warm start of its own, or all go on from one. */
  readonly warmStarts: 'shared' | 'by-seed'
  /** Fields of the warm start's stage. */
  readonly warmStage: Readonly<Record<string, unknown>>
  /** Fields of every arm's stage, before its own. */
  readonly policyStage: Readonly<Record<string, unknown>>
}

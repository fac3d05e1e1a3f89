/** One row of the comparison: a way of going on from the warm start. */
export interface ExperimentArm {
  /** As in table 2. */
  readonly name: string
  /** Folder name, unique. */
  readonly id: string
  /** Fields of the reinforcement stage; the warm start itself has none. */
  readonly stage?: Readonly<Record<string, unknown>>
  /** Whether the balanced clinic (figure 5) is run with it too. */
  readonly inBalanced: boolean
  /** How many of the experiment's seeds it runs with, the first ones; all where it is not said. */
  readonly seeds?: number
}

/** What every arm goes on from. */
export const warmStart: ExperimentArm = { name: 'SFT (warm start)', id: 'warm-start', inBalanced: true }

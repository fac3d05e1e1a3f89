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
}

/** What every arm goes on from. */
export const warmStart: ExperimentArm = { name: 'SFT (warm start)', id: 'warm-start', inBalanced: true }

/**
 * The arms: the algorithms of table 2, DRPO's ablations, and the readings of its damping (eq. 5). Each differs from GRPO's
 * stage in what is written here and in nothing else.
 */
export const experimentArms: readonly ExperimentArm[] = [
  { name: 'PPO', id: 'ppo', stage: { algorithm: 'ppo' }, inBalanced: false },
  { name: 'GRPO', id: 'grpo', stage: { algorithm: 'grpo' }, inBalanced: true },
  { name: 'RLOO', id: 'rloo', stage: { algorithm: 'rloo' }, inBalanced: false },
  { name: 'REINFORCE++', id: 'reinforce++', stage: { algorithm: 'reinforce++' }, inBalanced: false },
  { name: 'ReMax', id: 'remax', stage: { algorithm: 'remax' }, inBalanced: false },
  { name: 'DRPO', id: 'drpo', stage: { algorithm: 'drpo' }, inBalanced: true },
  { name: 'DRPO, domain only', id: 'drpo-domain-only', stage: { algorithm: 'drpo-domain-only' }, inBalanced: true },
  { name: 'DRPO, no KL', id: 'drpo-no-kl', stage: { algorithm: 'drpo-no-kl' }, inBalanced: false },
  {
    name: 'DRPO, damping of both signs',
    id: 'drpo-symmetric',
    stage: { algorithm: 'drpo', advantage: { dampingSign: 'both', dampingQuantileOver: 'nonzero' } },
    inBalanced: false,
  },
  {
    name: 'DRPO, damping per group',
    id: 'drpo-group',
    stage: { algorithm: 'drpo', advantage: { dampingScope: 'group' } },
    inBalanced: false,
  },
  {
    name: 'DRPO, strong damping per group',
    id: 'drpo-group-half',
    stage: {
      algorithm: 'drpo',
      advantage: { dampingScope: 'group', dampingQuantile: 0.5, dampingQuantileOver: 'nonzero' },
    },
    inBalanced: true,
  },
]

/** The arm that the others are compared with. */
export const baselineArm = 'grpo'

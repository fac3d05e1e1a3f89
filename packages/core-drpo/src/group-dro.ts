import { defineEstimator, type AdvantageEstimator, type ResponseAdvantages } from './advantage-estimator.ts'
import { drpoErrors } from './errors.ts'
import { groupAdvantages } from './group-advantage.ts'
import { checkGroupSizes, checkLength, groupQuestions, type RewardBatch } from './reward-batch.ts'

/** Weights of groups so far: a plain value, to be kept and saved as JSON. */
export interface GroupDroWeights {
  readonly type: 'group-dro-weights'
  /** By group; they sum to 1. */
  readonly weights: Readonly<Record<string, number>>
}

/** What group DRO weighs a batch with. */
export interface GroupDroStages {
  readonly type: 'group-dro'
  /** By group, after this batch. */
  readonly weights: Readonly<Record<string, number>>
  /** 1 minus the mean reward, by group of this batch. */
  readonly losses: Readonly<Record<string, number>>
}

/** What group DRO returns. */
export type GroupDroAdvantages = ResponseAdvantages<GroupDroStages, GroupDroWeights>

/** Responses whose patient's group is not known are a group of their own. */
const unknown = 'UNK'

/**
 * GRPO with group DRO (Sagawa et al. 2020): groups that earn little gain weight from batch to batch,
 * w ← w · exp(η (1 − mean reward of the group)), normalised; an advantage is GRPO's times the group's weight times the number
 * of groups. A new group begins with the largest weight there is. No public code exists: this reading is ours.
 */
export const groupDro: AdvantageEstimator<GroupDroAdvantages> = defineEstimator({
  name: 'group-dro',
  about: "Group DRO: GRPO's advantages times a weight that grows for demographic groups which earn little.",
  needs: { demographics: true, smallestGroup: 2 },
  options: {
    eta: { type: 'number', default: 0.05, minimum: 0, maximum: 100, about: 'η, how fast weights follow the losses' },
    epsilon: { type: 'number', default: 1e-6, minimum: 0, maximum: 1, about: 'added to the deviation' },
  },
  estimate: (batch, { eta, epsilon }, run) => {
    const groups = groupQuestions(batch)
    checkGroupSizes(groups, 'group-dro')
    const names = groupNames(batch)
    const { normalized } = groupAdvantages(batch.rewards, groups, epsilon)
    const losses = groupLosses(batch, names)
    const weights = movedWeights(parseWeights(run.state), losses, eta)
    const count = weights.size
    const advantages = normalized.map((value, response) => value * weights.get(names[response]!)! * count) // every group has one
    const plain = Object.fromEntries(weights)
    return {
      level: 'response',
      advantages,
      stages:
        run.stages === false ? undefined : { type: 'group-dro', weights: plain, losses: Object.fromEntries(losses) },
      state: { type: 'group-dro-weights', weights: plain },
    }
  },
})

function groupNames({ demographics, rewards }: RewardBatch): string[] {
  if (demographics === undefined) return Array.from(rewards, () => unknown)
  checkLength('demographics', demographics, rewards.length)
  return Array.from(demographics, label => (label === '' ? unknown : label))
}

function groupLosses({ rewards }: RewardBatch, names: readonly string[]): Map<string, number> {
  const responses = Map.groupBy(names.keys(), response => names[response]!)
  const means = [...responses].map(([name, own]) => {
    const mean = own.reduce((sum, response) => sum + rewards[response]!, 0) / own.length
    return [name, 1 - mean] as const
  })
  return new Map(means.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function movedWeights(
  before: ReadonlyMap<string, number>,
  losses: ReadonlyMap<string, number>,
  eta: number,
): Map<string, number> {
  const largest = before.size === 0 ? 1 : Math.max(...before.values())
  const begun = new Map(before)
  for (const name of losses.keys()) if (!begun.has(name)) begun.set(name, largest)
  const even = normalised(begun)
  return normalised(
    new Map([...even].map(([name, weight]) => [name, weight * Math.exp(eta * (losses.get(name) ?? 0))])),
  )
}

function normalised(weights: ReadonlyMap<string, number>): Map<string, number> {
  const sum = [...weights.values()].reduce((all, weight) => all + weight, 0)
  return new Map([...weights].map(([name, weight]) => [name, weight / sum]))
}

/** @throws DRPO_STATE_INVALID */
function parseWeights(value: unknown): Map<string, number> {
  if (value === undefined || value === null) return new Map()
  const { type, weights } = value as Partial<GroupDroWeights> // checked below
  const isTable = typeof weights === 'object' && weights !== null
  if (type !== 'group-dro-weights' || !isTable || !Object.values(weights).every(weight => weight > 0))
    throw drpoErrors.STATE_INVALID({ reason: 'it is not a value of type group-dro-weights' })
  return new Map(Object.entries(weights))
}

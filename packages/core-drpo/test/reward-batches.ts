import { seededRandom } from '../src/k-means/seeded-random.ts'
import type { RewardBatch } from '../src/reward-batch.ts'

/** Shares of nine domains; the rarest has one question in a hundred. */
const shares = [0.35, 0.22, 0.14, 0.1, 0.07, 0.05, 0.04, 0.02, 0.01]

/**
 * `paper`: 0.6 accuracy, 0.2 overlap and 0.2 format; `overlap`: 0.75 accuracy and 0.25 overlap; `0/1`: accuracy alone;
 * `noise`: uniform rewards; `sure`: nine of ten responses to a question agree, so that an elbow at two clusters is found or
 * just missed. In the others no elbow is found and every k up to 10 is tried.
 */
export const rewardKinds = ['paper', 'overlap', '0/1', 'sure', 'noise'] as const

/** One of `rewardKinds`. */
export type RewardKind = (typeof rewardKinds)[number]

/** Draws a batch of questions with five responses each over nine imbalanced domains. */
export function drawRewardBatch(kind: RewardKind, questions: number, seed: number): RewardBatch {
  const random = seededRandom(seed, questions)
  const facts = Array.from({ length: questions }, () => ({ domain: domainAt(random()), chance: random() }))
  const owners = Array.from({ length: 5 * questions }, (_, response) => Math.floor(response / 5))
  return {
    rewards: Float64Array.from(owners, question => drawReward(kind, facts[question]!.chance, random)),
    kl: Float64Array.from(owners, () => 0.1 * random()),
    questionIds: owners,
    domains: owners.map(question => facts[question]!.domain),
  }
}

function domainAt(place: number): string {
  let passed = 0
  return `domain ${shares.findIndex(share => (passed += share) > place)}`
}

function drawReward(kind: RewardKind, chance: number, random: () => number): number {
  if (kind === 'noise') return random()
  if (kind === 'sure') return 0.75 * Number(chance > 0.4 !== random() < 0.1) + 0.1 * random()
  const isRight = random() < chance
  if (kind === '0/1') return Number(isRight)
  if (kind === 'overlap') return 0.75 * Number(isRight) + 0.25 * (random() < 0.7 ? random() : 0)
  return 0.6 * Number(isRight) + 0.2 * (isRight ? random() : 0) + 0.05 * Math.floor(5 * random())
}

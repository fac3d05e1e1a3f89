import { estimateAdvantages, type RewardBatch } from '@qoq-med/core-drpo'
import { z } from 'zod'
import { seededRandom } from '../base/seeded-random.ts'
import type { Measurement } from '../base/measurement.ts'

const Options = z.object({ questions: z.int(), groupSize: z.int() })

/** Shares of the nine domains; the rarest has one question in a hundred. */
const shares = [0.35, 0.22, 0.14, 0.1, 0.07, 0.05, 0.04, 0.02, 0.01]

/** DRPO's advantages over nine imbalanced domains, with rewards of 0.6 accuracy, 0.2 overlap and 0.2 format. */
export function drpo(options: unknown): Measurement {
  const { questions, groupSize } = Options.parse(options)
  const batch = rewardBatch(questions, groupSize)
  for (let i = 0; i < 20; i++) estimateAdvantages('drpo', batch, {}, { stages: false }) // until it is compiled
  return {
    round: () => {
      estimateAdvantages('drpo', batch, {}, { stages: false })
      return undefined
    },
  }
}

function rewardBatch(questions: number, groupSize: number): RewardBatch {
  const random = seededRandom(42)
  const owners = Array.from({ length: questions * groupSize }, (_, i) => Math.floor(i / groupSize))
  const facts = Array.from({ length: questions }, () => ({ domain: domainAt(random()), chance: random() }))
  const rewards = owners.map(question => {
    const isRight = random() < facts[question]!.chance
    return 0.6 * Number(isRight) + 0.2 * (isRight ? random() : 0) + 0.05 * Math.floor(5 * random())
  })
  return {
    rewards: Float64Array.from(rewards),
    kl: Float64Array.from(rewards, () => 0.1 * random()),
    questionIds: owners,
    domains: owners.map(question => facts[question]!.domain),
  }
}

function domainAt(place: number): string {
  let passed = 0
  return `domain ${shares.findIndex(share => (passed += share) > place)}`
}

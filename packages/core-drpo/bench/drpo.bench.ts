// DRPO over nine imbalanced domains, five responses per question, from 512 to 131,072 questions.
// Run: node --conditions=@qoq-med/source packages/core-drpo/bench/drpo.bench.ts [largest number of questions]
import { Bench } from 'tinybench'
import { estimateAdvantages, type RewardBatch } from '../src/index.ts'
import { seededRandom } from '../src/k-means/seeded-random.ts'

/** Shares of the nine domains; the rarest has one question in a hundred. */
const shares = [0.35, 0.22, 0.14, 0.1, 0.07, 0.05, 0.04, 0.02, 0.01]
const domains = ['cxr', 'ct', 'mri', 'derm', 'fundus', 'mammo', 'us', 'pathology', 'ecg']

/**
 * `paper`: 0.6 accuracy, 0.2 overlap and 0.2 format, like the paper's rewards; `0/1`: accuracy alone; `noise`: uniform
 * rewards, in which no elbow is found and every k up to 10 is tried.
 */
type RewardKind = 'paper' | '0/1' | 'noise'

function batchOf(questions: number, groupSize: number, kind: RewardKind): RewardBatch {
  const random = seededRandom(42, questions)
  const count = questions * groupSize
  const batch = {
    rewards: new Float64Array(count),
    kl: new Float64Array(count),
    questionIds: [] as number[],
    domains: [] as string[],
  }
  for (let question = 0; question < questions; question++) {
    const domain = domainAt(random())
    const chance = random()
    for (let rollout = 0; rollout < groupSize; rollout++) {
      const at = batch.questionIds.push(question) - 1
      batch.domains.push(domain)
      batch.kl[at] = 0.1 * random()
      batch.rewards[at] = rewardOf(kind, chance, random)
    }
  }
  return batch
}

function domainAt(place: number): string {
  let passed = 0
  return domains[shares.findIndex(share => (passed += share) > place)] ?? 'ecg'
}

function rewardOf(kind: RewardKind, chance: number, random: () => number): number {
  if (kind === 'noise') return random()
  const isRight = random() < chance
  if (kind === '0/1') return Number(isRight)
  return 0.6 * Number(isRight) + 0.2 * (isRight ? random() : 0) + 0.05 * Math.floor(5 * random())
}

const largest = Number(process.argv[2] ?? 131_072)
const small = new Bench({ name: 'small', time: 1500, warmupTime: 1500 })
const large = new Bench({ name: 'large', time: 500, warmupTime: 500, iterations: 3, warmupIterations: 1 })
const paperBatch = batchOf(512, 5, 'paper')
const stepBatch = batchOf(8, 8, 'paper')

for (const kind of ['paper', '0/1', 'noise'] as const) {
  for (const questions of [512, 2048, 8192, 32_768, 131_072].filter(size => size <= largest)) {
    const batch = batchOf(questions, 5, kind)
    const bench = questions <= 2048 ? small : large
    bench.add(`drpo ${questions} x 5, ${kind} rewards`, () => estimateAdvantages('drpo', batch, {}, { stages: false }))
  }
}
small.add('drpo 512 x 5, paper rewards, stages', () => estimateAdvantages('drpo', paperBatch))
small.add('drpo 8 x 8, paper rewards', () => estimateAdvantages('drpo', stepBatch, {}, { stages: false }))
small.add('grpo 512 x 5', () => estimateAdvantages('grpo', paperBatch, {}, { stages: false }))
await small.run()
await large.run()

for (const { name, result } of [...small.tasks, ...large.tasks]) {
  if (result.state !== 'completed') throw new Error(`${name} did not complete: ${result.state}`)
  const { min, p50, p99, samplesCount } = result.latency
  const columns = [min, p50, p99].map(value => value.toFixed(2).padStart(9))
  console.log(`${name.padEnd(38)} least ${columns[0]} median ${columns[1]} p99 ${columns[2]} ms, ${samplesCount} runs`)
}

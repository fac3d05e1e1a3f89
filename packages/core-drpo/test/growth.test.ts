import { expect, test } from 'vitest'
import { drpoAdvantages, type RewardBatch } from '../src/index.ts'
import { randomRows } from './random-rows.ts'

/** Domains of which each is half as frequent as the one before. */
function domainOf(question: number): string {
  return `domain ${Math.min(8, Math.clz32(question % 512) - 23)}`
}

function batchOf(questions: number): RewardBatch {
  const rows = randomRows('paper', questions, 5, 1)
  return {
    rewards: Float64Array.from(rows.flat()),
    questionIds: rows.flatMap((row, question) => row.map(() => question)),
    domains: rows.flatMap((row, question) => row.map(() => domainOf(question))),
  }
}

function millisecondsOf(batch: RewardBatch): number {
  const start = performance.now()
  drpoAdvantages(batch, {}, { stages: false })
  return performance.now() - start
}

test('131,072 questions cost less than 300 times what 512 cost', () => {
  const [small, large] = [batchOf(512), batchOf(131_072)]
  const times = Array.from({ length: 25 }, () => millisecondsOf(small)).slice(10) // the compiler has seen the code
  const median = times.toSorted((a, b) => a - b)[7]!
  expect(new Set(Array.from(large.domains)).size).toBe(9)
  expect(millisecondsOf(large) / median).toBeLessThan(300)
})

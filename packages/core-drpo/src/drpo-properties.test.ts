import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { largestError } from '../test/largest-error.ts'
import { drpoAdvantages } from './drpo.ts'
import { drpoOptionTable, referenceOptions, type DrpoOptions } from './drpo-options.ts'
import type { OptionRow } from './option-schema.ts'
import type { RewardBatch } from './reward-batch.ts'

/** A batch as rows of questions, so that a test can reorder, scale and repeat them. */
interface QuestionRow {
  readonly id: string
  readonly domain: string
  readonly rewards: readonly number[]
  readonly kl: readonly number[]
}

function batchOf(rows: readonly QuestionRow[]): RewardBatch {
  const each = <T>(value: (row: QuestionRow, response: number) => T): T[] =>
    rows.flatMap(row => row.rewards.map((_, response) => value(row, response)))
  return {
    rewards: each((row, response) => row.rewards[response]!),
    questionIds: each(row => row.id),
    domains: each(row => row.domain),
    kl: each((row, response) => row.kl[response]!),
  }
}

function questionRows(
  reward: fc.Arbitrary<number>,
  kl: fc.Arbitrary<number> = fc.double({ min: 0, max: 5, noNaN: true }),
): fc.Arbitrary<QuestionRow[]> {
  return fc.integer({ min: 2, max: 5 }).chain(groupSize => {
    const group = (value: fc.Arbitrary<number>): fc.Arbitrary<number[]> =>
      fc.array(value, { minLength: groupSize, maxLength: groupSize })
    const row = fc.record({ domain: fc.constantFrom('ecg', 'ct', 'mri'), rewards: group(reward), kl: group(kl) })
    return fc
      .array(row, { minLength: 1, maxLength: 12 })
      .map(found => found.map((item, index) => ({ id: `q${index}`, ...item })))
  })
}

/** Rewards as in a batch: continuous to a ten-thousandth (a closer pair shows the rounding of its mean), and often equal. */
const usualReward = fc.oneof(
  fc.integer({ min: 100, max: 10_000 }).map(parts => parts / 10_000),
  fc.constantFrom(0, 0.2, 0.6, 1),
)

const options = fc.record(
  Object.fromEntries(
    Object.entries<OptionRow>(drpoOptionTable)
      .filter(
        ([name]) =>
          !['epsilon', 'seed', 'restarts', 'maxClusters', 'clampClusterTemperature', 'nonPositiveMean'].includes(name),
      )
      .map(([name, row]) => {
        if (row.type === 'boolean') return [name, fc.boolean()]
        if (row.type === 'number' && row.integer) return [name, fc.integer({ min: row.minimum, max: 40 })]
        if (row.type === 'choice') return [name, fc.constantFrom(...row.choices)]
        return [name, fc.double({ min: row.minimum, max: Math.min(row.maximum, 1), noNaN: true })]
      }),
  ),
) as fc.Arbitrary<Partial<DrpoOptions>> // made from the options' own table

const RUNS = { numRuns: 1000 }

describe('drpoAdvantages', () => {
  test('it never makes NaN or infinity out of finite input, whatever the options', () => {
    const anyNumber = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(0, -0, 1e-320, 1e-200, 1e308, -1e308, 1, 1 + Number.EPSILON),
    )
    fc.assert(
      fc.property(questionRows(anyNumber, anyNumber), options, (rows, chosen) => {
        const { advantages, stages } = drpoAdvantages(batchOf(rows), { ...chosen, restarts: 2, maxClusters: 4 })
        expect(advantages.every(Number.isFinite)).toBe(true)
        expect(stages!.normalized.every(Number.isFinite)).toBe(true)
        expect(stages!.scaled.every(Number.isFinite)).toBe(true)
        expect(stages!.damping?.factors.every(Number.isFinite) ?? true).toBe(true)
      }),
      RUNS,
    )
  })

  test('every group has the mean 0 before the damping', () => {
    fc.assert(
      fc.property(questionRows(usualReward), rows => {
        const { scaled } = drpoAdvantages(batchOf(rows)).stages!
        const groupSize = rows[0]!.rewards.length
        rows.forEach((_, question) => {
          const group = scaled.subarray(question * groupSize, (question + 1) * groupSize)
          const size = Math.max(...group.map(Math.abs))
          expect(Math.abs(group.reduce((sum, value) => sum + value, 0))).toBeLessThanOrEqual(1e-9 * size)
        })
      }),
      RUNS,
    )
  })

  test('the batch has deviation 1, or is all zeros', () => {
    fc.assert(
      fc.property(questionRows(usualReward), fc.boolean(), (rows, noKl) => {
        const { advantages } = drpoAdvantages(batchOf(rows), { noKl })
        const mean = advantages.reduce((sum, value) => sum + value, 0) / advantages.length
        const squares = advantages.reduce((sum, value) => sum + (value - mean) ** 2, 0)
        const isZero = advantages.every(value => value === 0)
        expect(isZero || Math.abs(Math.sqrt(squares / (advantages.length - 1)) - 1) < 1e-9).toBe(true)
      }),
      RUNS,
    )
  })

  test('with dampingScope "group" every group keeps the mean 0 that section 3.3 promises', () => {
    fc.assert(
      fc.property(questionRows(usualReward), rows => {
        const { advantages } = drpoAdvantages(batchOf(rows), { dampingScope: 'group' })
        const groupSize = rows[0]!.rewards.length
        rows.forEach((_, question) => {
          const group = advantages.subarray(question * groupSize, (question + 1) * groupSize)
          const size = Math.max(...group.map(Math.abs))
          expect(Math.abs(group.reduce((sum, value) => sum + value, 0))).toBeLessThanOrEqual(1e-9 * size)
        })
      }),
      RUNS,
    )
  })

  test('rewards times a power of two change nothing but by ε', () => {
    fc.assert(
      fc.property(questionRows(usualReward), fc.integer({ min: -3, max: 3 }), (rows, exponent) => {
        const scaled = rows.map(row => ({ ...row, rewards: row.rewards.map(reward => reward * 2 ** exponent) }))
        const tiny = { noKl: true, epsilon: 1e-60 }
        const want = drpoAdvantages(batchOf(rows), tiny).advantages
        const got = drpoAdvantages(batchOf(scaled), tiny).advantages
        expect(largestError(got, want, 1)).toBeLessThanOrEqual(1e-9)
        const usual = drpoAdvantages(batchOf(scaled), { noKl: true }).advantages
        const deviations = rows
          .map(({ rewards }) => Math.max(...rewards) - Math.min(...rewards))
          .filter(range => range > 0)
        const allowed = 1e-9 + (100 * 1e-6) / (2 ** exponent * Math.min(1, ...deviations))
        expect(largestError(usual, want, 1)).toBeLessThanOrEqual(allowed * 10)
      }),
      RUNS,
    )
  })

  test('questions in another order get the same advantages in that order', () => {
    fc.assert(
      fc.property(questionRows(usualReward), fc.infiniteStream(fc.nat()), (rows, keys) => {
        const order = rows
          .map((row, index) => ({ row, index, key: keys.next().value! }))
          .toSorted((a, b) => a.key - b.key)
        const want = drpoAdvantages(batchOf(rows)).advantages
        const got = drpoAdvantages(batchOf(order.map(({ row }) => row))).advantages
        const groupSize = rows[0]!.rewards.length
        order.forEach(({ index }, place) => {
          const there = got.subarray(place * groupSize, (place + 1) * groupSize)
          expect(largestError(there, want.subarray(index * groupSize, (index + 1) * groupSize), 1)).toBeLessThan(1e-9)
        })
      }),
      RUNS,
    )
  })

  test('with sortRewards, so do the responses of a question', () => {
    fc.assert(
      fc.property(questionRows(usualReward), rows => {
        const turned = rows.map((row, index) => {
          const by = index % row.rewards.length
          const turn = (values: readonly number[]): number[] => [...values.slice(by), ...values.slice(0, by)]
          return { ...row, rewards: turn(row.rewards), kl: turn(row.kl) }
        })
        const want = drpoAdvantages(batchOf(rows), { sortRewards: true }).advantages
        const got = drpoAdvantages(batchOf(turned), { sortRewards: true }).advantages
        const groupSize = rows[0]!.rewards.length
        rows.forEach((_, question) => {
          for (let response = 0; response < groupSize; response++) {
            const from = question * groupSize + ((response + question) % groupSize)
            expect(Math.abs(got[question * groupSize + response]! - want[from]!)).toBeLessThan(1e-9)
          }
        })
      }),
      RUNS,
    )
  })

  test('equal domains of equal difficulty get equal advantages', () => {
    fc.assert(
      fc.property(questionRows(usualReward), rows => {
        const twins = ['left', 'right'].flatMap(side => rows.map(row => ({ ...row, id: side + row.id, domain: side })))
        const { advantages } = drpoAdvantages(batchOf(twins))
        const half = advantages.length / 2
        expect(largestError(advantages.subarray(0, half), advantages.subarray(half), 1)).toBeLessThan(1e-9)
      }),
      RUNS,
    )
  })

  test('a domain sixteen times rarer weighs sixteen times as much, four times without clusters', () => {
    const positive = fc.double({ min: 0.05, max: 1, noNaN: true })
    fc.assert(
      fc.property(questionRows(positive), fc.boolean(), (rows, domainOnly) => {
        const common = Array.from({ length: 16 }, (_, copy) =>
          rows.map(row => ({ ...row, id: `common${copy}${row.id}`, domain: 'common' })),
        ).flat()
        const rare = rows.map(row => ({ ...row, domain: 'rare' }))
        const { advantages } = drpoAdvantages(batchOf([...rare, ...common]), { noKl: true, domainOnly })
        const count = rows.length * rows[0]!.rewards.length
        const want = advantages.subarray(count, 2 * count).map(value => value * (domainOnly ? 4 : 16))
        expect(largestError(advantages.subarray(0, count), want)).toBeLessThan(1e-9)
      }),
      RUNS,
    )
  })

  test('a domain of half the rewards weighs four times as much, twice without clusters', () => {
    const spread = fc.double({ min: 0.05, max: 1, noNaN: true })
    fc.assert(
      fc.property(questionRows(spread), fc.boolean(), (rows, domainOnly) => {
        const easy = rows.map(row => ({ ...row, domain: 'easy' }))
        const hard = rows.map(row => ({
          ...row,
          id: `hard${row.id}`,
          domain: 'hard',
          rewards: row.rewards.map(reward => reward / 2),
        }))
        const { advantages } = drpoAdvantages(batchOf([...easy, ...hard]), { noKl: true, domainOnly, epsilon: 1e-60 })
        const half = advantages.length / 2
        const want = advantages.subarray(0, half).map(value => value * (domainOnly ? 2 : 4))
        expect(largestError(advantages.subarray(half), want)).toBeLessThan(1e-9)
      }),
      RUNS,
    )
  })

  test('the same input and seed give the same bits, and the fast path the same advantages', () => {
    fc.assert(
      fc.property(questionRows(usualReward), fc.nat(), (rows, seed) => {
        const { advantages } = drpoAdvantages(batchOf(rows), { seed })
        expect([...drpoAdvantages(batchOf(rows), { seed }).advantages]).toEqual([...advantages])
        const fast = drpoAdvantages(batchOf(rows), { seed }, { stages: false })
        expect([...fast.advantages, fast.stages]).toEqual([...advantages, undefined])
      }),
      RUNS,
    )
  })

  test('one history after two batches is that of both batches at once', () => {
    fc.assert(
      fc.property(questionRows(usualReward), fc.nat({ max: 12 }), (rows, cut) => {
        const parts = [rows.slice(0, cut), rows.slice(cut)].filter(part => part.length > 0)
        const running = { ...referenceOptions, clampClusterTemperature: true }
        const at = (part: readonly QuestionRow[], state?: unknown) =>
          drpoAdvantages(batchOf(part), running, { state }).state
        const sorted = (state: ReturnType<typeof at>) =>
          state!.domains.toSorted((a, b) => (a.domain < b.domain ? -1 : 1))
        const inParts = parts.reduce<ReturnType<typeof at>>((state, part) => at(part, state), undefined)
        expect(sorted(inParts)).toEqual(sorted(at(rows)))
      }),
      RUNS,
    )
  })
})

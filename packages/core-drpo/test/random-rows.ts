import { seededRandom } from '../src/k-means/seeded-random.ts'

/** Kinds of reward vectors: noise, right or wrong, well separated levels, and sums like the paper's rewards. */
export type RowKind = 'uniform' | 'binary' | 'levels' | 'paper'

/** Makes reward vectors for a test, the same for the same seed. @returns [count][groupSize] */
export function randomRows(kind: RowKind, count: number, groupSize: number, seed: number): number[][] {
  const random = seededRandom(seed, count, groupSize)
  return Array.from({ length: count }, () => {
    const chance = random()
    const level = Math.floor(random() * 4)
    return Array.from({ length: groupSize }, () => {
      if (kind === 'uniform') return random()
      if (kind === 'levels') return level + 0.1 * random()
      const isRight = random() < chance
      if (kind === 'binary') return Number(isRight)
      return 0.6 * Number(isRight) + 0.2 * (isRight ? random() : 0) + 0.05 * Math.floor(random() * 5)
    })
  })
}

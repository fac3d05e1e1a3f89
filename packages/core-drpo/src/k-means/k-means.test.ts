import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { kmeans } from 'ml-kmeans'
import { ckmeans } from 'simple-statistics'
import { describe, expect, test } from 'vitest'
import { exactInertias } from '../../test/exact-k-means.ts'
import { randomRows, type RowKind } from '../../test/random-rows.ts'
import { findElbow } from './elbow.ts'
import { kMeansByClusterCount, type Clustering } from './k-means.ts'
import { uniqueVectors, type WeightedPoints } from './unique-vectors.ts'

/** A copy of oracles/rl/kmeans1d.json (seed 4409), proven optima by dynamic programming. */
const oracle = JSON.parse(readFileSync(new URL('../../fixtures/kmeans1d.json', import.meta.url), 'utf8')) as {
  readonly cases: readonly {
    readonly x: readonly number[]
    readonly k_max: number
    readonly optimal_inertia: readonly number[]
    readonly elbow_k: number
  }[]
  readonly elbow_cases: readonly { readonly inertia: readonly number[]; readonly k: number }[]
} // the file's layout

const pointsOf = (rows: readonly (readonly number[])[]): WeightedPoints =>
  uniqueVectors(Float64Array.from(rows.flat()), rows[0]!.length).points

function cluster(points: WeightedPoints, largestK = 10, seed = 0): Clustering[] {
  const options = { restarts: 10, candidates: 0, seed, largestK: Math.min(largestK, points.weights.length) }
  return [...kMeansByClusterCount(points, options)]
}

/** Inertia above the oracle's, relative; an oracle of 0 is compared with rounding noise. */
function excess(inertia: number, want: number): number {
  return (inertia - want) / Math.max(want, 1e-9)
}

function inertiaOf(rows: readonly number[][], centroids: readonly number[][], clusters: readonly number[]): number {
  return rows.reduce(
    (sum, row, at) =>
      sum + row.reduce((part, value, axis) => part + (value - centroids[clusters[at]!]![axis]!) ** 2, 0),
    0,
  )
}

describe('kMeansByClusterCount', () => {
  test.for(oracle.cases.map((item, index) => ({ ...item, name: `case ${index}` })))(
    '$name: it finds the optimum of $x.length numbers for every k, and the elbow',
    item => {
      const clusterings = cluster(pointsOf(item.x.map(value => [value])), item.k_max)
      clusterings.forEach(({ inertia }, at) => {
        expect(excess(inertia, item.optimal_inertia[at]!)).toBeLessThanOrEqual(1e-9)
      })
      const inertias = clusterings.map(({ inertia }) => inertia)
      expect(findElbow(inertias, 0.1) ?? inertias.length).toBe(item.elbow_k)
    },
  )

  test('of 30 numbers it reaches what ckmeans proves in 99 of 100 clusterings, and misses the others narrowly', () => {
    const excesses: number[] = []
    for (let seed = 0; seed < 50; seed++) {
      const numbers = randomRows(seed % 2 === 0 ? 'paper' : 'uniform', 30, 1, seed).flat()
      cluster(pointsOf(numbers.map(value => [value]))).forEach(({ inertia }, at) => {
        const want = ckmeans(numbers, at + 1).map(group => {
          const mean = group.reduce((sum, value) => sum + value, 0) / group.length
          return group.reduce((sum, value) => sum + (value - mean) ** 2, 0)
        })
        excesses.push(
          excess(
            inertia,
            want.reduce((sum, value) => sum + value, 0),
          ),
        )
      })
    }
    expect(Math.min(...excesses)).toBeGreaterThan(-1e-9)
    expect(excesses.filter(value => value > 1e-9).length / excesses.length).toBeLessThanOrEqual(0.01)
    expect(Math.max(...excesses)).toBeLessThan(0.1)
  })

  test.for<RowKind>(['uniform', 'binary', 'levels', 'paper'])('it finds the proven optimum of ten %s vectors', kind => {
    for (let seed = 0; seed < 25; seed++) {
      const points = pointsOf(randomRows(kind, 10, 2 + (seed % 5), seed))
      const exact = exactInertias(points, points.weights.length)
      cluster(points).forEach(({ inertia }, at) => expect(excess(inertia, exact[at]!)).toBeLessThanOrEqual(1e-9))
    }
  })

  test.for<RowKind>(['uniform', 'levels', 'paper'])(
    'ml-kmeans finds nothing to change in clusters of %s vectors',
    kind => {
      for (let seed = 0; seed < 10; seed++) {
        const points = pointsOf(randomRows(kind, 120, 5, seed))
        const rows = Array.from(points.weights, (_, point) => [...points.vectors.subarray(5 * point, 5 * point + 5)])
        cluster(points).forEach(({ assignments }, at) => {
          const centroids = Array.from({ length: at + 1 }, (_, k) => {
            const members = rows.filter((_row, point) => assignments[point] === k)
            return members[0]!.map((_value, axis) => members.reduce((sum, row) => sum + row[axis]! / members.length, 0))
          })
          const { clusters } = kmeans(rows, at + 1, { initialization: centroids })
          expect(clusters).toEqual([...assignments])
        })
      }
    },
  )

  test('it is as good as the best of ten runs of ml-kmeans, or within a tenth, and better on average', () => {
    const excesses: number[] = []
    for (const kind of ['uniform', 'levels', 'paper'] as const) {
      for (const count of [60, 150, 600]) {
        const rows = randomRows(kind, count, 5, count)
        cluster(pointsOf(rows)).forEach(({ inertia }, at) => {
          const runs = Array.from({ length: 10 }, (_, seed) => kmeans(rows, at + 1, { seed }))
          const best = Math.min(...runs.map(({ centroids, clusters }) => inertiaOf(rows, centroids, clusters)))
          excesses.push(excess(inertia, best))
        })
      }
    }
    expect(Math.max(...excesses)).toBeLessThan(0.1)
    expect(excesses.reduce((sum, value) => sum + value, 0)).toBeLessThan(0)
  })

  test('a few far questions among a thousand are not lost in the coreset', () => {
    const rows = [...randomRows('uniform', 1000, 5, 1), ...Array.from({ length: 3 }, () => [9, 9, 9, 9, 9 + Math.PI])]
    const points = pointsOf(rows)
    const { assignments } = cluster(points)[1]!
    const far = assignments[points.weights.length - 1] // the points are sorted
    expect(assignments.filter(k => k === far)).toHaveLength(1)
    expect(points.weights[points.weights.length - 1]).toBe(3)
  })

  const value = fc.oneof(
    fc.double({ min: -2, max: 2, noNaN: true }),
    fc.constantFrom(0, 1, 0.1, 0.1 + 2 ** -55, 1 + Number.EPSILON, 1e-90, 2e-90, 1e99),
  )
  const rows = fc.integer({ min: 1, max: 7 }).chain(length => {
    return fc.array(fc.array(value, { minLength: length, maxLength: length }), { minLength: 1, maxLength: 60 })
  })

  test('every cluster has a point and a finite inertia, whatever the numbers', () => {
    fc.assert(
      fc.property(rows, fc.nat(), (vectors, seed) => {
        cluster(pointsOf(vectors), 6, seed).forEach(({ assignments, inertia }, at) => {
          expect(new Set(assignments).size).toBe(at + 1)
          expect(Number.isFinite(inertia)).toBe(true)
        })
      }),
      { numRuns: 1000 },
    )
  })

  test('the same vectors in another order and the same seed give the same bits', () => {
    fc.assert(
      fc.property(rows, fc.nat(), (vectors, seed) => {
        const inertias = (order: number[][]): number[] =>
          cluster(pointsOf(order), 6, seed).map(({ inertia }) => inertia)
        expect(inertias(vectors.toReversed())).toEqual(inertias(vectors))
      }),
      { numRuns: 1000 },
    )
  })
})

describe('findElbow', () => {
  test.for(oracle.elbow_cases)('$inertia has its elbow at $k', ({ inertia, k }) => {
    expect(findElbow(inertia, 0.1) ?? inertia.length).toBe(k)
  })
})

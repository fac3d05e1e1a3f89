import { describe, expect, test } from 'vitest'
import { drpoCases, oracleBatch, refusedCases, type OracleCase, type OracleDomain } from '../test/drpo-oracle.ts'
import { largestError } from '../test/largest-error.ts'
import { drpoAdvantages, type DrpoStages } from './drpo.ts'

/** The oracle's suggested tolerance, relative. */
const TOLERANCE = 1e-9

function run(item: OracleCase, deviation: 'sample' | 'population' = 'sample') {
  const { eps, p, tau } = item.options
  return drpoAdvantages(oracleBatch(item), { epsilon: eps, dampingQuantile: p, elbowTolerance: tau, deviation })
}

/** Numbers of one domain in a fixed order: N, μ_g, T_g, then N_c, μ_c, T_c and centroid of the cluster of each member. */
function domainNumbers(stages: DrpoStages, want: OracleDomain): { got: number[]; want: number[] } {
  const domain = stages.domains.find(row => row.domain === want.domain)!
  const got = [domain.count, domain.mean, domain.temperature]
  const wanted = [want.N, want.mu_g, want.T_g]
  for (const cluster of want.clusters) {
    for (const question of cluster.members) {
      const { size, mean, temperature, centroid } = domain.clusters[stages.clusterOf[question]!]!
      got.push(size, mean, temperature, ...(cluster.centroid ? centroid : []))
      wanted.push(cluster.size, cluster.mu_c, cluster.T_c, ...(cluster.centroid ?? [])) // null for the huge group
    }
  }
  return { got, want: wanted }
}

const clear = drpoCases.filter(
  ({ paper }) =>
    !paper.clustering_may_be_ambiguous && paper.domains.every(({ elbow_margin: margin }) => (margin ?? 1) > 1e-6),
)

const ambiguous = drpoCases.filter(item => !clear.includes(item))

describe('drpoAdvantages against the paper in float64', () => {
  test.for(clear)('$name: it normalises each question as eq. 1', item => {
    const { stages } = run(item)
    expect(largestError(stages!.means, item.paper.mu)).toBeLessThanOrEqual(TOLERANCE)
    expect(largestError(stages!.deviations, item.paper.sigma)).toBeLessThanOrEqual(TOLERANCE)
    expect(largestError(stages!.normalized, item.paper.s.flat())).toBeLessThanOrEqual(TOLERANCE)
  })

  test.for(clear)('$name: it finds the optimal clusters and their temperatures', item => {
    const { stages } = run(item)
    for (const want of item.paper.domains) {
      const domain = stages!.domains.find(row => row.domain === want.domain)!
      expect([domain.k, domain.uniqueVectors, ...domain.questions]).toEqual([want.k, want.n_unique, ...want.questions])
      const inertias = want.inertia.slice(0, domain.inertias.length)
      expect(largestError(domain.inertias, inertias)).toBeLessThanOrEqual(TOLERANCE)
      const numbers = domainNumbers(stages!, want)
      expect(largestError(numbers.got, numbers.want)).toBeLessThanOrEqual(TOLERANCE)
    }
  })

  test.for(clear)("$name: it scales and damps to the paper's advantages", item => {
    const { stages, advantages } = run(item)
    const { paper } = item
    expect(largestError(stages!.scaled, paper.pre.flat())).toBeLessThanOrEqual(TOLERANCE)
    const damping = stages!.damping
    expect(largestError(damping?.weighted ?? [], paper.kl_times_pre?.flat() ?? [])).toBeLessThanOrEqual(TOLERANCE)
    expect(largestError([damping?.threshold ?? 0], [paper.t_p ?? 0])).toBeLessThanOrEqual(TOLERANCE)
    expect(largestError(damping?.factors ?? [], paper.m?.flat() ?? [])).toBeLessThanOrEqual(TOLERANCE)
    expect(largestError([stages!.batchDeviation], [paper.sigma_scaled])).toBeLessThanOrEqual(TOLERANCE)
    expect(largestError(advantages, paper.advantages.flat())).toBeLessThanOrEqual(TOLERANCE)
  })

  test.for(clear.filter(item => item.paper_ddof0_advantages))('$name: it agrees with population deviations', item => {
    const { advantages } = run(item, 'population')
    expect(largestError(advantages, item.paper_ddof0_advantages!.flat())).toBeLessThanOrEqual(TOLERANCE)
  })

  test.for(ambiguous)('$name: it reaches an inertia as low as the best of 80 runs of the oracle', item => {
    const { stages } = run(item)
    const excess = item.paper.domains.flatMap(want => {
      const domain = stages!.domains.find(row => row.domain === want.domain)!
      return domain.inertias.map((inertia, index) => inertia - want.inertia[index]! * (1 + TOLERANCE))
    })
    expect(Math.max(...excess)).toBeLessThanOrEqual(1e-15)
  })

  test.for(refusedCases)('$name: it refuses a reward that is not finite', item => {
    const batch = oracleBatch({ rewards: item.rewards.map(row => row.map(Number)), domains: item.domains })
    expect(() => drpoAdvantages(batch)).toThrowError(/question q2/)
    expect(() => drpoAdvantages(batch)).toThrowError(expect.objectContaining({ code: 'DRPO_VALUE_NOT_FINITE' }))
  })
})

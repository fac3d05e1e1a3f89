import { seededRandom } from '../statistics/seeded-random.ts'
import type { SubgroupRow } from './attribute-rows.ts'

export { fairnessDifferences } from './fairness-difference.ts'
export { fairnessMetrics } from './fairness-metrics.ts'
export type { SubgroupRow } from './attribute-rows.ts'

/** 240 patients of both sexes with one of two labels, told rightly with a chance that depends on the sex. */
export function seededRows({
  accuracyOfF,
  accuracyOfM,
  seed = 4,
}: {
  readonly accuracyOfF: number
  readonly accuracyOfM: number
  readonly seed?: number
}): SubgroupRow[] {
  const random = seededRandom(seed)
  return Array.from({ length: 240 }, (_, index) => {
    const sex = index % 2 === 0 ? 'F' : 'M'
    const truth = Math.floor(index / 2) % 2 === 0 ? 'a' : 'b'
    const isRight = random() < (sex === 'F' ? accuracyOfF : accuracyOfM)
    const predicted = isRight ? truth : truth === 'a' ? 'b' : 'a'
    return {
      dataset: 'derm',
      domain: 'dermoscopy',
      truth: [truth],
      predicted: [predicted],
      patientId: `p${index}`,
      groups: { sex },
    }
  })
}

import { mean } from '../mean.ts'

/** Two-sided 95 % quantiles of Student's t for 1, 2, … degrees of freedom (Abramowitz and Stegun, table 26.10). */
const tQuantiles = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228] as const

/** The normal quantile, for more seeds than the table has. */
const normalQuantile = 1.96

/** A mean over seeds with a 95 % interval; of one seed there is no interval. */
export interface SeedMean {
  readonly mean: number
  readonly halfWidth: number | undefined
}

/** The mean of one number per seed and Student's 95 % interval. @param values one per seed, at least one */
export function seedMean(values: readonly number[]): SeedMean {
  const centre = mean(values)
  if (values.length < 2) return { mean: centre, halfWidth: undefined }
  const variance = values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1)
  const quantile = tQuantiles[values.length - 2] ?? normalQuantile
  return { mean: centre, halfWidth: quantile * Math.sqrt(variance / values.length) }
}

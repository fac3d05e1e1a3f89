import { counterStream } from '@qoq-med/model'
import { mean } from '../means.ts'

/** The accuracy of one answer, and where it belongs. */
export interface AnswerOutcome {
  readonly domain: string
  readonly dataset: string
  readonly accuracy: number
}

/** Accuracy over domains, with what chance in the drawn samples makes of it. */
export interface OverallAccuracy {
  /** The mean over domains of the mean over their datasets (eqs. 14 and 15). */
  readonly overall: number
  /** The central 95 % of what other draws of as many samples of each dataset would give (bootstrap). */
  readonly interval: readonly [low: number, high: number]
}

/** Redraws of the bootstrap: the interval's ends move by less than a hundredth of its width beyond it. */
const defaultRedraws = 2000

/**
 * Averages accuracies as the paper averages its metrics, so that a rare domain counts as a common one:
 *
 *     overall = 1/G Σ_g 1/|D_g| Σ_{d in D_g} mean accuracy of d     (eqs. 14 and 15)
 *
 * @param seed of the bootstrap, which redraws the answers of each dataset
 */
export function overallAccuracy(
  outcomes: readonly AnswerOutcome[],
  { seed, redraws = defaultRedraws }: { readonly seed: number; readonly redraws?: number },
): OverallAccuracy {
  const domains = accuraciesByDomain(outcomes)
  const overall = mean(domains.map(datasets => mean(datasets.map(mean))))
  const random = counterStream(seed, 0)
  const redrawn = (values: readonly number[]): number =>
    mean(values.map(() => values[Math.floor(random() * values.length)]!))
  const means = Array.from({ length: redraws }, () => mean(domains.map(datasets => mean(datasets.map(redrawn)))))
  const sorted = means.toSorted((a, b) => a - b)
  return { overall, interval: [at(sorted, 0.025), at(sorted, 0.975)] }
}

/** Accuracies of each dataset of each domain. */
function accuraciesByDomain(outcomes: readonly AnswerOutcome[]): number[][][] {
  const domains = new Map<string, Map<string, number[]>>()
  for (const { domain, dataset, accuracy } of outcomes) {
    const datasets = domains.get(domain) ?? new Map<string, number[]>()
    domains.set(domain, datasets)
    datasets.set(dataset, [...(datasets.get(dataset) ?? []), accuracy])
  }
  return [...domains.values()].map(datasets => [...datasets.values()])
}

/** A quantile, linear between order statistics; 0 for no values. */
function at(sorted: readonly number[], share: number): number {
  const position = share * (sorted.length - 1)
  const below = Math.floor(position)
  const low = sorted[below] ?? 0
  return low + ((sorted[below + 1] ?? low) - low) * (position - below)
}

import type { Sample } from '@qoq-med/data-climb'
import type { Validation } from '../config/stage-fields.ts'
import { samplesAt } from '../run/sample-order.ts'

/**
 * The samples that a stage validates on, the same every time: drawn from all at random, or as many of each domain as there
 * are, so that a rare domain counts as a common one. A domain with too few gives its places to the others.
 */
export function validationDraw(
  all: readonly Sample[],
  { samples: count, draw }: Pick<Validation, 'samples' | 'draw'>,
  seed: number,
): Sample[] {
  const shuffled = samplesAt(all.length, 0, all.length, seed).map(index => all[index]!)
  if (draw === 'random') return shuffled.slice(0, count)
  const domains = new Map<string, Sample[]>()
  for (const sample of shuffled) domains.set(sample.domain, [...(domains.get(sample.domain) ?? []), sample])
  // Names sorted: which domain gets a place more does not hang on the order of the sources.
  const rows = [...domains].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, samples]) => samples)
  const deepest = Math.max(0, ...rows.map(({ length }) => length))
  const inTurn = Array.from({ length: deepest }, (_, turn) => rows.flatMap(row => row[turn] ?? [])).flat()
  return inTurn.slice(0, count)
}

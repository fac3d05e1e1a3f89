import type { Sample, SampleSelection } from '@qoq-med/data-climb'
import type { Validation } from '../config/stage-fields.ts'

/**
 * The samples that a stage validates on, the same every time: drawn from all at random, or as many of each domain as there
 * are, so that a rare domain counts as a common one. A domain with too few gives its places to the others.
 */
export function validationDraw(
  all: SampleSelection,
  { samples: count, draw }: Pick<Validation, 'samples' | 'draw'>,
  seed: number,
): Promise<Sample[]> {
  const shuffled = all.draws(0, draw === 'random' ? Math.min(count, all.length) : all.length, seed)
  if (draw === 'random') return all.read(shuffled)
  const domains = new Map<string, number[]>()
  for (const place of shuffled) {
    const { domain } = all.factsOf(place)
    const of = domains.get(domain)
    if (of) of.push(place)
    else domains.set(domain, [place])
  }
  // Names sorted: which domain gets a place more does not hang on the order of the sources.
  const rows = [...domains].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, places]) => places)
  const deepest = Math.max(0, ...rows.map(({ length }) => length))
  const inTurn = Array.from({ length: deepest }, (_, turn) => rows.flatMap(row => row[turn] ?? [])).flat()
  return all.read(inTurn.slice(0, count))
}

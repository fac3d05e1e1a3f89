import { createHash } from 'node:crypto'
import { evalErrors } from './errors.ts'

/** What a sample is drawn by. */
export interface DrawnSample {
  readonly id: string
  /** Its true labels. */
  readonly answer: readonly string[]
}

/**
 * Draws samples by seed and evenly by label, so that a part of a dataset that is sorted by class shows every class. A
 * sample with several labels counts for the rarest of them. The same ids give the same draw, in whatever order they come.
 *
 * @param count how many; all, where there are no more
 * @returns the drawn samples in the order of `samples`
 * @throws EVAL_VALUE_OUT_OF_RANGE when `count` is no whole number of at least 1
 */
export function drawSamples<Sample extends DrawnSample>(
  samples: readonly Sample[],
  count: number,
  { seed = 42 }: { readonly seed?: number } = {},
): Sample[] {
  if (!Number.isSafeInteger(count) || count < 1)
    throw evalErrors.VALUE_OUT_OF_RANGE({ name: 'count', value: count, range: 'whole numbers from 1' })
  if (count >= samples.length) return [...samples]
  const groups = [...byRarestLabel(samples)].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, own]) => own)
  const queues = groups.map(own => own.toSorted((a, b) => (drawKey(seed, a) < drawKey(seed, b) ? -1 : 1)))
  const drawn = new Set<Sample>()
  for (let turn = 0; drawn.size < count; turn++)
    for (const queue of queues) {
      const next = queue[turn]
      if (next !== undefined && drawn.size < count) drawn.add(next)
    }
  return samples.filter(sample => drawn.has(sample))
}

function byRarestLabel<Sample extends DrawnSample>(samples: readonly Sample[]): Map<string, Sample[]> {
  const counts = new Map<string, number>()
  for (const { answer } of samples) for (const label of answer) counts.set(label, (counts.get(label) ?? 0) + 1)
  return Map.groupBy(samples, ({ answer }) => {
    const [rarest = ''] = answer.toSorted((a, b) => (counts.get(a) ?? 0) - (counts.get(b) ?? 0) || (a < b ? -1 : 1))
    return rarest
  })
}

function drawKey(seed: number, { id }: DrawnSample): string {
  return createHash('sha256').update(`${seed}|${id}`).digest('hex')
}

import { createHash } from 'node:crypto'
import { evalErrors } from '../errors.ts'

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
  const keys = samples.map(sample => drawKey(seed, sample))
  const groups = [...byRarestLabel(samples)].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, own]) => own)
  let queues = groups.map(own => own.toSorted((a, b) => (keys[a]! < keys[b]! ? -1 : 1))) // places in samples
  const drawn = new Set<number>()
  for (let turn = 0; drawn.size < count; turn++) {
    queues = queues.filter(queue => turn < queue.length)
    for (const queue of queues.slice(0, count - drawn.size)) drawn.add(queue[turn]!) // longer than the turn
  }
  return samples.filter((_sample, place) => drawn.has(place))
}

/** Places of the samples by the rarest of their labels. */
function byRarestLabel(samples: readonly DrawnSample[]): Map<string, number[]> {
  const counts = new Map<string, number>()
  for (const { answer } of samples) for (const label of answer) counts.set(label, (counts.get(label) ?? 0) + 1)
  return Map.groupBy(samples.keys(), place => {
    const { answer } = samples[place]! // one of its places
    const [rarest = ''] = answer.toSorted((a, b) => (counts.get(a) ?? 0) - (counts.get(b) ?? 0) || (a < b ? -1 : 1))
    return rarest
  })
}

function drawKey(seed: number, { id }: DrawnSample): string {
  return createHash('sha256').update(`${seed}|${id}`).digest('hex')
}

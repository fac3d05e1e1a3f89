import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { mixSeed } from '../config/mix-seed.ts'

/**
 * The order in which a stage sees its samples: every epoch is a shuffle of its own, drawn from the seed and the epoch's
 * number alone. So the cursor of a run is its step, and a resumed run goes on exactly where it was.
 *
 * @param size number of samples
 * @param from first place in the endless sequence
 * @param count how many to take
 * @returns indices into the samples
 */
export function samplesAt(size: number, from: number, count: number, seed: number): number[] {
  const epochs = new Map<number, Int32Array>()
  return Array.from({ length: count }, (_, i) => {
    const epoch = Math.floor((from + i) / size)
    const order = epochs.get(epoch) ?? shuffled(size, mixSeed(seed, epoch))
    epochs.set(epoch, order)
    return order[(from + i) % size]!
  })
}

function shuffled(size: number, seed: number): Int32Array {
  const random = xoroshiro128plus(seed)
  const order = Int32Array.from({ length: size }, (_, i) => i)
  for (let i = size - 1; i > 0; i--) {
    const j = uniformInt(random, 0, i)
    const kept = order[i]!
    order[i] = order[j]!
    order[j] = kept
  }
  return order
}

import { createHash } from 'node:crypto'
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus'

/** A stream of random numbers that depends on its name alone. */
export interface RandomStream {
  /** Uniform in [0, 1). */
  readonly uniform: () => number
  /** Uniform in [low, high). */
  readonly between: (low: number, high: number) => number
  /** Standard normal. */
  readonly normal: () => number
  /** True with the given probability. */
  readonly chance: (probability: number) => boolean
  /** One entry of a non-empty list. */
  readonly pick: <Item>(items: readonly [Item, ...Item[]]) => Item
}

/** Opens the stream of a name, so that a patient's data do not depend on how many others were made before. */
export function randomStream(name: string): RandomStream {
  const digest = createHash('sha256').update(name).digest()
  const generator = xoroshiro128plusFromState([0, 4, 8, 12].map(offset => digest.readInt32LE(offset)))
  const uniform = () => uniformFloat64(generator)
  let spare: number | undefined
  const normal = () => {
    if (spare !== undefined) {
      const kept = spare
      spare = undefined
      return kept
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()))
    const angle = 2 * Math.PI * uniform()
    spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }
  return {
    uniform,
    between: (low, high) => low + (high - low) * uniform(),
    normal,
    chance: probability => uniform() < probability,
    pick: items => items[Math.floor(uniform() * items.length)] ?? items[0],
  }
}

/** Values that are made at most this many at a time, however small they are. */
const mostUnderWay = 8

/** Gives the value of a key: as it lies on the shelf, or made anew. */
export type MediaShelf<Value> = (key: string, make: () => Promise<Value>) => Promise<Value>

/**
 * A shelf of values that were used last, up to a size; beside them, so many values are made at a time as would take the same
 * bytes again, by the largest so far. A value that is larger than the shelf is made alone, and not kept.
 *
 * @param bytes of what lies on the shelf, and of what is being made
 */
export function createMediaShelf<Value>(bytes: number, sizeOf: (value: Value) => number): MediaShelf<Value> {
  const kept = new Map<string, { readonly value: Promise<Value>; size?: number }>()
  const waiting: (() => void)[] = []
  let [held, underWay, largest] = [0, 0, bytes]
  const limit = (): number => Math.min(mostUnderWay, Math.max(1, Math.floor(bytes / largest)))
  const turn = async (): Promise<void> => {
    while (underWay >= limit()) await new Promise<void>(resolve => waiting.push(resolve))
    underWay++
  }
  const letGo = (): void => {
    for (const [key, { size }] of kept) {
      if (held <= bytes) return
      if (size === undefined) continue
      held -= size
      kept.delete(key)
    }
  }
  let isFirst = true
  const made = async (key: string, make: () => Promise<Value>): Promise<Value> => {
    await turn()
    try {
      const value = await make()
      const size = sizeOf(value)
      largest = isFirst ? size : Math.max(largest, size)
      isFirst = false
      const entry = kept.get(key)
      if (entry) entry.size = size
      held += entry ? size : 0
      letGo()
      return value
    } catch (error) {
      kept.delete(key)
      throw error
    } finally {
      underWay--
      for (const resolve of waiting.splice(0)) resolve()
    }
  }
  return (key, make) => {
    const entry = kept.get(key)
    const known = entry ?? { value: made(key, make) }
    kept.delete(key)
    kept.set(key, known) // the last one used stands last
    return known.value
  }
}

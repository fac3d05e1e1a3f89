import { describe, expect, test } from 'vitest'
import { createMediaShelf } from './media-shelf.ts'

/** A maker that notes how many values of 10 bytes are being made at once, and how often each was. */
function counted() {
  const made: string[] = []
  let [underWay, most] = [0, 0]
  const make = async (key: string, size = 10): Promise<{ key: string; size: number }> => {
    most = Math.max(most, ++underWay)
    await new Promise(resolve => setTimeout(resolve, 1))
    underWay--
    made.push(key)
    return { key, size }
  }
  return { make, made, most: () => most }
}

const keys = (count: number): string[] => Array.from({ length: count }, (_, i) => `k${i}`)
interface Made {
  readonly key: string
  readonly size: number
}
const sizeOf = ({ size }: Made): number => size

describe('createMediaShelf', () => {
  test('makes as many values at a time as would fit, by the largest so far, and the first alone', async () => {
    const { make, made, most } = counted()
    const shelf = createMediaShelf(30, sizeOf)
    const values = await Promise.all(keys(40).map(key => shelf(key, () => make(key))))
    expect(values.map(({ key }) => key)).toEqual(keys(40))
    expect(made).toHaveLength(40)
    expect(most()).toBe(3)
  })

  test('makes few at a time however small they are', async () => {
    const { make, most } = counted()
    const shelf = createMediaShelf(1e9, sizeOf)
    await Promise.all(keys(40).map(key => shelf(key, () => make(key))))
    expect(most()).toBe(8)
  })

  test('keeps what was used last, up to its size', async () => {
    const { make, made } = counted()
    const shelf = createMediaShelf(30, sizeOf)
    const ask = (key: string) => shelf(key, () => make(key))
    for (const key of ['a', 'b', 'c', 'a', 'd', 'a', 'b']) await ask(key)
    // d took the place of b, which was used least lately; b that of c.
    expect(made).toEqual(['a', 'b', 'c', 'd', 'b'])
  })

  test('makes a value alone that is larger than the shelf, and does not keep it', async () => {
    const { make, made } = counted()
    const shelf = createMediaShelf(30, sizeOf)
    await shelf('large', () => make('large', 100))
    await shelf('large', () => make('large', 100))
    expect(made).toEqual(['large', 'large'])
  })

  test('makes again what failed, and goes on with the others', async () => {
    const { make } = counted()
    const shelf = createMediaShelf(10, sizeOf)
    const failing = shelf('a', () => Promise.reject(new Error('no')))
    const other = shelf('b', () => make('b'))
    await expect(failing).rejects.toThrow('no')
    expect((await other).key).toBe('b')
    expect((await shelf('a', () => make('a'))).key).toBe('a')
  })
})

import { describe, expect, test } from 'vitest'
import { createParameterStore, type StoreRegion } from './parameter-store.ts'

const specs = [
  { name: 'embedding', shape: [5, 3] },
  { name: 'norm.weight', shape: [3] },
  { name: 'scale', shape: [] },
]

describe('createParameterStore', () => {
  test('gives each parameter zeroed weights and a gradient at a multiple of 16 bytes, none overlapping', () => {
    const store = createParameterStore(specs)
    const seen = new Set<number>()
    for (const { name, size } of store.parameters) {
      for (const view of [store.weights(name), store.gradient(name)]) {
        expect(view).toEqual(new Float32Array(new SharedArrayBuffer(4 * size)))
        expect(view.byteOffset % 16).toBe(0)
        for (let at = view.byteOffset; at < view.byteOffset + view.byteLength; at += 4) {
          expect(seen.has(at)).toBe(false)
          seen.add(at)
        }
      }
    }
    expect(seen.size).toBe(2 * (15 + 3 + 1))
  })

  test('shows the same memory through every view', () => {
    const store = createParameterStore(specs)
    store.weights('norm.weight').set([1, 2, 3])
    store.gradient('scale')[0] = 7
    expect(Array.from(store.flat('weights').subarray(16, 20))).toEqual([1, 2, 3, 0])
    expect(Array.from(store.flat('gradients').subarray(20))).toEqual([7, 0, 0, 0])
    expect(store.weights('norm.weight')[1]).toBe(2)
    store.zeroGradients()
    expect(store.gradient('scale')[0]).toBe(0)
    expect(store.weights('norm.weight')[1]).toBe(2)
  })

  test('puts frozen parameters last and gives them weights only', () => {
    const store = createParameterStore(specs, { trainable: name => name !== 'embedding' })
    expect(store.parameters.map(({ name, isTrainable, offset }) => [name, isTrainable, offset])).toEqual([
      ['norm.weight', true, 0],
      ['scale', true, 4],
      ['embedding', false, 8],
    ])
    expect(store.trainableLength).toBe(8)
    const regions: StoreRegion[] = ['weights', 'gradients', 'firstMoments', 'secondMoments']
    const flats = regions.map(region => store.flat(region))
    flats.forEach((flat, i) => flat.fill(i + 1))
    expect(flats.map(flat => [...new Set(flat)])).toEqual([[1], [2], [3], [4]])
    expect(store.weights('embedding')).toEqual(new Float32Array(new SharedArrayBuffer(60)))
    expect(() => store.gradient('embedding')).toThrow(expect.objectContaining({ code: 'TENSOR_UNKNOWN_PARAMETER' }))
  })

  test('holds no parameters, too', () => {
    expect(createParameterStore([]).flat('weights')).toHaveLength(0)
  })

  test('suggests a name for a mistyped one, and refuses a name given twice', () => {
    expect(() => createParameterStore(specs).weights('norm.weigth')).toThrow(/norm\.weight meant/)
    expect(() => createParameterStore([...specs, specs[1]!])).toThrow(
      expect.objectContaining({ code: 'TENSOR_NAME_TAKEN' }),
    )
  })

  test('says how many bytes it would need beyond 4 GiB, before it takes any', () => {
    const large = [{ name: 'w', shape: [2 ** 14, 2 ** 14] }] // 1 GiB each for weights, gradient and moments
    expect(() => createParameterStore(large)).toThrow(
      expect.objectContaining({
        code: 'TENSOR_STORE_TOO_LARGE',
        message: expect.stringMatching('4294967312') as string,
      }),
    )
    expect(() => createParameterStore([{ name: 'w', shape: [2 ** 40] }], { trainable: () => false })).toThrow(
      /4294967296/,
    )
  })
})

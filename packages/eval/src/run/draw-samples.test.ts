import { describe, expect, test } from 'vitest'
import { drawSamples } from './draw-samples.ts'

const classes = (...sizes: readonly number[]) =>
  sizes.flatMap((size, label) =>
    Array.from({ length: size }, (_, i) => ({ id: `${label}/${String(i).padStart(3, '0')}`, answer: [String(label)] })),
  )
const countsOf = (drawn: readonly { readonly answer: readonly string[] }[]) => {
  const groups = Object.entries(Object.groupBy(drawn, ({ answer }) => answer.join()))
  return Object.fromEntries(groups.map(([label, own = []]) => [label, own.length]))
}

describe('drawSamples', () => {
  test('shows every class of a set that is sorted by class', () => {
    expect(countsOf(drawSamples(classes(100, 100, 100, 100), 8))).toEqual({ 0: 2, 1: 2, 2: 2, 3: 2 })
  })

  test('takes what a small class lacks from the others', () => {
    expect(countsOf(drawSamples(classes(50, 1, 50), 9))).toEqual({ 0: 4, 1: 1, 2: 4 })
  })

  test('counts a sample with several labels for the rarest', () => {
    const common = Array.from({ length: 50 }, (_, i) => ({ id: `a${i}`, answer: ['Edema'] }))
    const rare = { id: 'b', answer: ['Edema', 'Fracture'] }
    expect(drawSamples([...common, rare], 2)).toContain(rare)
  })

  test('is the same for the same seed in any order, and another for another seed', () => {
    const all = classes(40, 40)
    const drawn = drawSamples(all, 10, { seed: 1 })
    expect(drawSamples(all.toReversed(), 10, { seed: 1 }).toReversed()).toEqual(drawn)
    expect(drawSamples(all, 10, { seed: 2 })).not.toEqual(drawn)
    expect(drawn.map(({ id }) => id)).toEqual(drawn.map(({ id }) => id).toSorted())
  })

  test('takes all where there are no more', () => {
    expect(drawSamples(classes(2, 3), 9)).toHaveLength(5)
  })

  test('draws a sample that is there several times at each of its places', () => {
    const [twin] = classes(1)
    expect(drawSamples([twin!, twin!, twin!], 2)).toEqual([twin, twin])
  })

  test('looks at each sample once, and no more at labels of which all are drawn', () => {
    let reads = 0
    const counted = (id: string, label: string) => ({
      get id() {
        reads++
        return id
      },
      answer: [label],
    })
    const all = [
      ...Array.from({ length: 5000 }, (_, i) => counted(`a${i}`, 'common')),
      ...Array.from({ length: 2000 }, (_, i) => counted(`b${i}`, `rare ${i}`)),
    ]
    expect(drawSamples(all, 6000)).toHaveLength(6000)
    expect(reads).toBe(7000)
  })

  test('refuses no samples', () => {
    expect(() => drawSamples(classes(2), 0)).toThrow(expect.objectContaining({ code: 'EVAL_VALUE_OUT_OF_RANGE' }))
  })
})

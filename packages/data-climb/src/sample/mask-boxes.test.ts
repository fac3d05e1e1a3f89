import { describe, expect, test } from 'vitest'
import { boxesOfMask } from './mask-boxes.ts'

function mask(...rows: readonly string[]) {
  const data = Uint8Array.from(rows.join(''), mark => (mark === '#' ? 1 : 0))
  return { width: rows[0]!.length, height: rows.length, data }
}

describe('boxesOfMask', () => {
  test.for([
    { name: 'nothing in an empty mask', rows: ['....', '....'], want: [] },
    { name: 'one pixel', rows: ['....', '..#.'], want: [{ x1: 2, y1: 1, x2: 3, y2: 2 }] },
    {
      name: 'regions that touch at a corner as one',
      rows: ['##..', '##..', '..##'],
      want: [{ x1: 0, y1: 0, x2: 4, y2: 3 }],
    },
    {
      name: 'two regions, the larger first',
      rows: ['#.###', '..###', '..###'],
      want: [
        { x1: 2, y1: 0, x2: 5, y2: 3 },
        { x1: 0, y1: 0, x2: 1, y2: 1 },
      ],
    },
  ])('finds $name', ({ rows, want }) => {
    expect(boxesOfMask(mask(...rows))).toEqual(want)
  })

  test('leaves out specks of less than a fiftieth of the largest region, and all but eight', () => {
    const rows = Array.from({ length: 10 }, () => `${'#'.repeat(10)}..`)
    rows[0] = `${'#'.repeat(10)}.#`
    expect(boxesOfMask(mask(...rows))).toEqual([{ x1: 0, y1: 0, x2: 10, y2: 10 }])
    expect(boxesOfMask(mask('#.'.repeat(20))).length).toBe(8)
  })

  test('does not overflow on a mask that is all finding', () => {
    const data = new Uint8Array(2000 * 2000).fill(1)
    expect(boxesOfMask({ width: 2000, height: 2000, data })).toEqual([{ x1: 0, y1: 0, x2: 2000, y2: 2000 }])
  })
})

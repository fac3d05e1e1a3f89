import { describe, expect, test } from 'vitest'
import { mergeMarks, type ReaderMark } from './lndb-findings.ts'

const mark = (change: Partial<ReaderMark>): ReaderMark => ({
  scan: 1,
  reader: 1,
  finding: 1,
  place: 'row',
  point: [0, 0, 0],
  isNodule: true,
  volumeMm3: 100,
  ...change,
})

/** Volume of a sphere of 3 mm, as the index writes it. */
const pointMark = 14.13716694

describe('mergeMarks', () => {
  test('joins readers closer than 3 mm, and those within the radius of a large nodule', () => {
    const near = mark({ reader: 2, point: [2.9, 0, 0], volumeMm3: pointMark })
    const far = mark({ reader: 3, point: [-6, 0, 0], volumeMm3: pointMark })
    expect(mergeMarks([mark({}), near, far]).map(({ marks }) => marks.length)).toEqual([2, 1])
    // A sphere of 2,000 mm3 has a radius of 7.8 mm.
    expect(mergeMarks([mark({ volumeMm3: 2000 }), near, far]).map(({ marks }) => marks.length)).toEqual([3])
  })

  test('never joins two findings of one reader, nor two scans', () => {
    expect(mergeMarks([mark({}), mark({ finding: 2 }), mark({ scan: 2, reader: 2 })]).length).toBe(3)
  })

  test.for([
    { name: 'a segmented nodule', volumes: [16.17], isNodule: [true], want: 'nodule >= 3mm' },
    { name: 'a point mark', volumes: [pointMark], isNodule: [true], want: 'nodule < 3mm' },
    {
      name: 'a point mark that another reader segmented',
      volumes: [pointMark, 40],
      isNodule: [true, true],
      want: 'nodule >= 3mm',
    },
    { name: 'a non-nodule', volumes: [pointMark], isNodule: [false], want: 'non-nodule' },
    {
      name: 'a nodule that another reader denies',
      volumes: [pointMark, pointMark],
      isNodule: [false, true],
      want: 'nodule < 3mm',
    },
  ])('labels $name', ({ volumes, isNodule, want }) => {
    const marks = volumes.map((volumeMm3, i) => mark({ reader: i + 1, volumeMm3, isNodule: isNodule[i]! }))
    expect(mergeMarks(marks).map(({ label }) => label)).toEqual([want])
  })

  test('puts a finding in the middle of its marks', () => {
    expect(mergeMarks([mark({}), mark({ reader: 2, point: [2, 0, -2] })])[0]?.point).toEqual([1, 0, -1])
  })
})

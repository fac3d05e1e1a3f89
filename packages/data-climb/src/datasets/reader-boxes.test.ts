import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDataset } from '../open/open-dataset.ts'
import { majorityFindings, oneReaderFindings, type ReaderBox } from './reader-boxes.ts'
import { writeLayoutFile, writeTable } from './written-layouts.testing.ts'

const drawn = (reader: string, label: string, x1: number, y1: number, x2: number, y2: number): ReaderBox => ({
  reader,
  label,
  box: { x1, y1, x2, y2 },
})
const sides = (findings: ReturnType<typeof majorityFindings>) =>
  findings.map(({ label, box }) => [label, box?.x1, box?.y1, box?.x2, box?.y2])

describe('majorityFindings', () => {
  // Overlaps by hand: [0,10]² and [2,12]×[0,10] share 80 of 120 (0.67); [0,10]² and [6,16]×[0,10] share 40 of 160 (0.25).
  test.for([
    {
      name: 'keeps what two of three drew, and encloses their boxes',
      boxes: [
        drawn('R1', 'Mass', 0, 0, 10, 10),
        drawn('R2', 'Mass', 2, 0, 12, 10),
        drawn('R3', 'Mass', 60, 60, 70, 70),
      ],
      want: [['Mass', 0, 0, 12, 10]],
    },
    {
      name: 'leaves out what one of three drew',
      boxes: [drawn('R1', 'Mass', 0, 0, 10, 10)],
      want: [],
    },
    {
      name: 'does not join other labels, or boxes that overlap little',
      boxes: [drawn('R1', 'Mass', 0, 0, 10, 10), drawn('R2', 'Edema', 0, 0, 10, 10), drawn('R3', 'Mass', 6, 0, 16, 10)],
      want: [],
    },
    {
      name: 'keeps two findings that each reader drew apart',
      boxes: [
        drawn('R1', 'Mass', 0, 0, 10, 10),
        drawn('R1', 'Mass', 30, 0, 40, 10),
        drawn('R2', 'Mass', 31, 0, 41, 10),
        drawn('R2', 'Mass', 1, 0, 11, 10),
      ],
      want: [
        ['Mass', 0, 0, 11, 10],
        ['Mass', 30, 0, 41, 10],
      ],
    },
    {
      name: 'does not count a reader twice',
      boxes: [drawn('R1', 'Mass', 0, 0, 10, 10), drawn('R1', 'Mass', 1, 0, 11, 10)],
      want: [],
    },
  ])('$name', ({ boxes, want }) => {
    expect(sides(majorityFindings(boxes, 3))).toEqual(want)
  })

  test('takes the boxes of a consensus as they are', () => {
    const boxes = [drawn('', 'Mass', 0, 0, 10, 10), drawn('', 'Mass', 1, 0, 11, 10)]
    expect(sides(majorityFindings(boxes, 1)).length).toBe(2)
    expect(sides(oneReaderFindings(boxes)).length).toBe(2)
  })
})

describe('vindr_cxr boxes', () => {
  let root: string
  beforeAll(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'qoq-vindr-'))
    const labels = 'COPD,Lung tumor,Pneumonia,Tuberculosis,Other diseases,No finding'
    await writeTable(root, 'annotations/image_labels_train.csv', `image_id,rad_id,${labels}`, [
      'a,R8,0,0,1,0,0,0',
      'a,R9,0,0,1,0,0,0',
      'a,R10,0,0,0,0,0,1',
    ])
    await writeTable(root, 'annotations/image_labels_test.csv', `image_id,${labels}`, ['b,0,0,1,0,0,1'])
    const columns = 'class_name,x_min,y_min,x_max,y_max'
    await writeTable(root, 'annotations/annotations_train.csv', `image_id,rad_id,${columns}`, [
      'a,R9,Cardiomegaly,100,100,200,200',
      'a,R8,Cardiomegaly,110,100,210,200',
      'a,R9,Nodule/Mass,300,300,310,310',
      'a,R10,No finding,,,,',
    ])
    await writeTable(root, 'annotations/annotations_test.csv', `image_id,${columns}`, ['b,Edema,5.5,6,50,60'])
    for (const file of ['train/a.dicom', 'test/b.dicom']) await writeLayoutFile(root, file, 'x')
  })
  afterAll(() => rm(root, { recursive: true, force: true }))

  test('are those of most readers, or of one', async () => {
    const majority = (await openDataset('vindr_cxr', { root })).samples
    expect(majority.map(({ id, answer, boxes }) => [id, answer, boxes])).toEqual([
      ['vindr_cxr/test/b', ['Pneumonia', 'No finding'], [{ x1: 5.5, y1: 6, x2: 50, y2: 60 }]],
      ['vindr_cxr/train/a', ['Pneumonia'], [{ x1: 100, y1: 100, x2: 210, y2: 200 }]],
    ])
    const one = (await openDataset('vindr_cxr', { root, boxReaders: 'one' })).samples
    expect(one[1]?.boxes).toEqual([
      { x1: 100, y1: 100, x2: 200, y2: 200 },
      { x1: 300, y1: 300, x2: 310, y2: 310 },
    ])
  })
})

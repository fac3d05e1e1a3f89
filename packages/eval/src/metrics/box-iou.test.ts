import { readFileSync } from 'node:fs'
import { boxIou, encodeMask, maskIou } from '@qoq-med/rewards'
import { describe, expect, test } from 'vitest'

interface IouCase {
  mask: number[][]
  box_xyxy: [number, number, number, number]
  other_box: [number, number, number, number]
  iou_pixel_centres: number
  box_box_iou: number
}

const oracle: { iou: IouCase[] } = JSON.parse(
  readFileSync(new URL('../../fixtures/metrics.json', import.meta.url), 'utf8'),
)

describe('box IoU (eq. 20) as the evaluation uses it, from rewards', () => {
  test.for(oracle.iou.map((item, index) => ({ index, item })))('has the value of case $index', ({ item }) => {
    const [box, other] = [item.box_xyxy, item.other_box].map(([x1, y1, x2, y2]) => ({ x1, y1, x2, y2 }))
    const [height, width] = [item.mask.length, item.mask[0]!.length]
    const region = encodeMask({ width, height, data: Uint8Array.from(item.mask.flat()) })
    expect(Math.abs(maskIou(box!, region) - item.iou_pixel_centres)).toBeLessThanOrEqual(1e-9)
    expect(Math.abs(boxIou(box!, other!) - item.box_box_iou)).toBeLessThanOrEqual(1e-9)
  })
})

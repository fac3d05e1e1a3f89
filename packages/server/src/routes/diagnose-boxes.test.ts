import { encodeNifti } from '@qoq-med/data-climb'
import fc from 'fast-check'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { dicomFile, labels, type Mark, marked, post, seen } from './diagnose.testing.ts'

const sizes = fc
  .record({ width: fc.integer({ min: 40, max: 300 }), height: fc.integer({ min: 40, max: 300 }) })
  .filter(({ width, height }) => Math.max(width, height) / Math.min(width, height) < 6)
const cases = sizes.chain(({ width, height }) =>
  fc.record({
    width: fc.constant(width),
    height: fc.constant(height),
    mark: fc
      .record({
        x: fc.integer({ min: 0, max: width - 12 }),
        y: fc.integer({ min: 0, max: height - 12 }),
        width: fc.integer({ min: 12, max: width }),
        height: fc.integer({ min: 12, max: height }),
      })
      .map(({ x, y, ...size }) => ({
        x,
        y,
        width: Math.min(size.width, width - x),
        height: Math.min(size.height, height - y),
      })),
  }),
)

/** Every edge lies where it was, to the pixel of the picture as it is seen that rounding may cost. */
function expectBox(found: number[], mark: Mark, size: { width: number; height: number }): void {
  const at = seen(size)
  const [x, y] = [size.width / at.width + 0.06, size.height / at.height + 0.06]
  const want = [mark.x, mark.y, mark.x + mark.width, mark.y + mark.height]
  for (const [i, value] of found.entries()) expect(Math.abs(value - want[i]!)).toBeLessThanOrEqual(i % 2 === 0 ? x : y)
}

describe('boxes lie where they were on the picture that was sent', () => {
  test('over sizes and windows of DICOM pictures', async () => {
    const windows = fc.constantFrom<(string | undefined)[]>(undefined, '1600/3000', 'range', '2000/100')
    await fc.assert(
      fc.asyncProperty(cases, windows, async ({ width, height, mark }, window) => {
        const data = dicomFile(width, height, mark).toString('base64')
        const body = (await post({ files: [{ data }], labels, ...(window && { window }) })).json()
        expect(body.pictures).toMatchObject([{ file: 0, kind: 'dicom', width, height, position: 0, length: 1 }])
        expect(body.boxes).toMatchObject([{ picture: 0, label: 'Effusion' }])
        expectBox(body.boxes[0].bbox_2d, mark, { width, height })
      }),
      { numRuns: 40, seed: 1 },
    )
  })

  test('over the orientations of photographs: boxes are in pixels of the picture turned upright', async () => {
    // Where a pixel of the stored picture lies in the upright one, by EXIF orientation (EXIF 2.32, 4.6.4 A).
    const upright: Record<number, (mark: Mark, w: number, h: number) => Mark> = {
      1: mark => mark,
      2: (m, w) => ({ ...m, x: w - m.x - m.width }),
      3: (m, w, h) => ({ ...m, x: w - m.x - m.width, y: h - m.y - m.height }),
      4: (m, _w, h) => ({ ...m, y: h - m.y - m.height }),
      5: m => ({ x: m.y, y: m.x, width: m.height, height: m.width }),
      6: (m, _w, h) => ({ x: h - m.y - m.height, y: m.x, width: m.height, height: m.width }),
      7: (m, w, h) => ({ x: h - m.y - m.height, y: w - m.x - m.width, width: m.height, height: m.width }),
      8: (m, w) => ({ x: m.y, y: w - m.x - m.width, width: m.height, height: m.width }),
    }
    await fc.assert(
      fc.asyncProperty(cases, fc.integer({ min: 1, max: 8 }), async ({ width, height, mark }, orientation) => {
        const grey = Buffer.from(marked(width, height, mark).map(level => level >> 4))
        const file = await sharp(grey, { raw: { width, height, channels: 1 } })
          .withMetadata({ orientation })
          .png()
          .toBuffer()
        const body = (await post({ files: [{ data: file.toString('base64') }], labels })).json()
        const size = orientation > 4 ? { width: height, height: width } : { width, height }
        expect(body.pictures).toMatchObject([size])
        expectBox(body.boxes[0].bbox_2d, upright[orientation]!(mark, width, height), size)
      }),
      { numRuns: 40, seed: 2 },
    )
  })

  test('on the slices of a volume, which are seen from the feet with the front up', async () => {
    // RAS+: stored columns run to the right, which is seen at the left; rows to the front, which is seen on top.
    const [width, height, depth] = [40, 56, 12]
    const voxels = Int16Array.from({ length: width * height * depth }, (_, i) => {
      const [x, y, z] = [i % width, Math.floor(i / width) % height, Math.floor(i / width / height)]
      return x >= 4 && x < 14 && y >= 10 && y < 34 && z >= 3 && z < 6 ? 900 : 0
    })
    const affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1]
    const spacing = [1, 1, 2]
    const shape = [width, height, depth]
    const volume = { shape, dtype: 'int16', voxels, slope: 1, intercept: 0, spacing, affine, warnings: [] } as const
    const data = Buffer.from(encodeNifti(volume)).toString('base64')
    const body = (await post({ files: [{ name: 'scan.nii', data }], labels })).json()
    expect(body.pictures.map(({ position }: { position: number }) => position)).toEqual([1, 4, 7, 10])
    expect(body.boxes).toMatchObject([{ picture: 1 }])
    expectBox(body.boxes[0].bbox_2d, { x: 26, y: 22, width: 10, height: 24 }, { width, height })
  })
})

import { encodeDicom, encodeNifti } from '@qoq-med/data-climb'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { createServer } from '../create-server.ts'
import { fakePolicy } from '../fake-policy.testing.ts'

async function view(payload: object) {
  const app = createServer({ policy: fakePolicy() })
  const response = await app.inject({ method: 'POST', url: '/v1/view', payload })
  await app.close()
  return { status: response.statusCode, body: response.json() }
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
const affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]
const plain = { dtype: 'int16', slope: 1, intercept: 0, spacing: [1, 1, 1], affine, warnings: [] } as const
/** Two rows of four values from 0 to 700. */
const scan = base64(
  encodeDicom({
    rows: 2,
    columns: 4,
    pixels: Uint16Array.from({ length: 8 }, (_, i) => i * 100),
    bitsStored: 12,
    modality: 'CT',
    sopInstanceUid: '1.2.3.4',
    window: { center: 350, width: 700 },
  }),
)

describe('POST /v1/view', () => {
  test('gives the grey levels of a scan, and the window it starts with', async () => {
    const { body } = await view({ files: [{ data: scan }] })
    expect(body).toMatchObject({ object: 'view', window: { center: 350, width: 700 }, ecgs: [] })
    const [picture] = body.groups[0].pictures
    expect(picture).toMatchObject({ file: 0, kind: 'dicom', width: 4, height: 2, channels: 1 })
    const pixels = [...Buffer.from(picture.pixels, 'base64')]
    expect(pixels[0]).toBe(0)
    expect(pixels[7]).toBe(255)
    expect(pixels).toEqual(pixels.toSorted((a, b) => a - b))
  })

  test.for([
    { name: 'a coloured one', pixels: [9, 9, 9, 1, 2, 3, 7, 7, 7], channels: 3, shown: [9, 9, 9, 1, 2, 3, 7, 7, 7] },
    { name: 'one without colour', pixels: [9, 9, 9, 5, 5, 5, 7, 7, 7], channels: 1, shown: [9, 5, 7] },
    {
      name: 'one whose last pixel has a colour',
      pixels: [9, 9, 9, 5, 5, 5, 7, 7, 8],
      channels: 3,
      shown: [9, 9, 9, 5, 5, 5, 7, 7, 8],
    },
  ])('gives the pixels of a picture: $name', async ({ pixels, channels, shown }) => {
    const png = await sharp(Uint8Array.from(pixels), { raw: { width: 3, height: 1, channels: 3 } })
      .png()
      .toBuffer()
    const [picture] = (await view({ files: [{ data: base64(png) }] })).body.groups[0].pictures
    expect(picture).toMatchObject({ width: 3, height: 1, channels })
    expect([...Buffer.from(picture.pixels, 'base64')]).toEqual(shown)
  })

  test('shows the values of a window that is asked for', async () => {
    // PS3.3 C.11.2.1.2.1, linear: 200 and below is black, 400 and above white, the centre halfway.
    const { body } = await view({ files: [{ data: scan }], window: '300/200' })
    const pixels = [...Buffer.from(body.groups[0].pictures[0].pixels, 'base64')]
    expect(pixels.slice(0, 3)).toEqual([0, 0, 0])
    expect(pixels.slice(4)).toEqual([255, 255, 255, 255])
    expect(Math.abs(pixels[3]! - 128)).toBeLessThanOrEqual(1)
  })

  test('gives every slice of a volume, up to the number that is asked for', async () => {
    const [width, height, depth] = [5, 4, 6]
    // Each slice holds its number alone.
    const voxels = Int16Array.from({ length: width * height * depth }, (_, i) => Math.floor(i / (width * height)))
    const data = base64(encodeNifti({ ...plain, shape: [width, height, depth], voxels }))
    const levels = async (frames?: number) => {
      const { body } = await view({ files: [{ name: 'a.nii', data }], ...(frames && { frames }) })
      return (body.groups[0].pictures as { pixels: string; position: number; length: number }[]).map(
        ({ pixels, position, length }) => ({ level: Buffer.from(pixels, 'base64')[0]!, position, length }),
      )
    }
    const all = await levels()
    expect(all.map(({ position }) => position)).toEqual([0, 1, 2, 3, 4, 5])
    expect(all.map(({ level }) => level)).toEqual([0, 51, 102, 153, 204, 255])
    expect(await levels(2)).toHaveLength(2)
  })

  test('starts a volume in Hounsfield units in the window in which it is shown', async () => {
    const voxels = Int16Array.of(-1000, 0, 40, 1000)
    const data = base64(encodeNifti({ ...plain, shape: [2, 2, 1], voxels }))
    expect((await view({ files: [{ name: 'a.nii', data }] })).body.window).toEqual({ center: 40, width: 400 })
  })

  test('gives the samples of an ECG in millivolts', async () => {
    const header = 'rec 1 500 4 0\nrec.dat 16 1000(0)/mV 16 0 0 0 0 II\n'
    const signal = Buffer.from(Int16Array.of(0, 500, 1000, -250).buffer)
    const { body } = await view({
      files: [
        { name: 'rec.hea', data: base64(Buffer.from(header)) },
        { name: 'rec.dat', data: base64(signal) },
      ],
    })
    expect(body.ecgs[0]).toMatchObject({ leads: ['II'], fs: 500 })
    const bytes = Buffer.from(body.ecgs[0].samples_mv[0], 'base64')
    expect([0, 4, 8, 12].map(at => bytes.readFloatLE(at))).toEqual([0, 0.5, 1, -0.25])
  })

  test.for<[string, object, string]>([
    ['a file that is none', { files: [{ data: base64(Buffer.from('hello')) }] }, 'DATA_FORMAT_UNKNOWN'],
    ['too many slices', { files: [], frames: 65 }, 'SERVER_REQUEST_INVALID'],
    ['an unknown field', { files: [], labels: ['a'] }, 'SERVER_REQUEST_INVALID'],
    ['an address', { files: [{ data: 'http://127.0.0.1/a.png' }] }, 'SERVER_REMOTE_URL_REFUSED'],
  ])('refuses %s', async ([, payload, code]) => {
    const { status, body } = await view(payload)
    expect([status, body.error.code]).toEqual([400, code])
  })
})

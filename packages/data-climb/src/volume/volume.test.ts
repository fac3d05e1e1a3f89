import { deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { sha256OfArray } from '../media/array-summary.ts'
import { inspectFile } from '../inspect/inspect.ts'
import { realFile, truthTable, whySkipped } from '../shared.testing.ts'
import { decodeMetaImage, parseMetaImageHeader } from './meta-image.ts'
import { readNifti } from './nifti.ts'
import { axialMasks, axialSlices, interiorPositions, patientAxes } from './slices.ts'
import { readVolume } from './volume-file.ts'
import { physicalVoxels } from './voxels.ts'
import { encodeNifti } from './write-nifti.ts'

interface NiftiTruth {
  readonly error?: string
  readonly shape: readonly number[]
  readonly affine: readonly (readonly number[])[]
  readonly zooms: readonly number[]
  readonly axcodes: readonly string[]
  readonly dataobj_slope_inter: readonly [number, number]
  readonly raw_le_fortran_sha256: string
  readonly scaled_float64_le_fortran_sha256: string
}

const axisNames = [
  ['L', 'R'],
  ['P', 'A'],
  ['I', 'S'],
] as const

describe(`readVolume against nibabel${whySkipped}`, () => {
  test.skipIf(whySkipped !== '').for(truthTable<NiftiTruth>('nifti'))('%s', async ([file, truth]) => {
    const volume = await readVolume(realFile(file))
    expect(volume.shape).toEqual(truth.shape)
    expect(sha256OfArray(volume.voxels)).toBe(truth.raw_le_fortran_sha256)
    expect(sha256OfArray(physicalVoxels(volume))).toBe(truth.scaled_float64_le_fortran_sha256)
    for (const [row, values] of truth.affine.slice(0, 3).entries())
      for (const [i, value] of values.entries()) expect(volume.affine[row * 4 + i]).toBeCloseTo(value, 3)
    const { axes, signs } = patientAxes(volume)
    const codes = axes
      .map((axis, row) => ({ axis, code: axisNames[row]![signs[row] === 1 ? 1 : 0] }))
      .toSorted((a, b) => a.axis - b.axis)
    expect(codes.map(({ code }) => code)).toEqual(truth.axcodes)
    const report = await inspectFile(realFile(file))
    expect(report).toMatchObject({
      format: 'nifti',
      sha256: truth.raw_le_fortran_sha256,
      sha256Physical: truth.scaled_float64_le_fortran_sha256,
    })
    for (const [i, zoom] of truth.zooms.entries()) expect(report.spacing![i]).toBeCloseTo(zoom, 4)
  })
})

interface MetaTruth {
  readonly size_xyz: readonly number[]
  readonly spacing: readonly number[]
  readonly origin: readonly number[]
  readonly zyx_c_le_sha256: string
  readonly mean: number
}

describe(`readVolume against SimpleITK${whySkipped}`, () => {
  test.skipIf(whySkipped !== '').for(truthTable<MetaTruth>('metaimage'))('%s', async ([file, truth]) => {
    const volume = await readVolume(realFile(file))
    expect(volume.shape).toEqual(truth.size_xyz)
    expect(volume.spacing).toEqual(truth.spacing)
    const report = await inspectFile(realFile(file))
    expect(report).toMatchObject({ format: 'metaimage', sha256: truth.zyx_c_le_sha256 })
    expect(report.mean).toBeCloseTo(truth.mean, 6)
    expect(volume.affine[11]).toBeCloseTo(truth.origin[2]!, 6)
  })
})

/** A NIfTI-1 file of int16 voxels. */
function nifti(change: (view: DataView) => void = () => undefined): Uint8Array {
  const bytes = new Uint8Array(352 + 2 * 2 * 2 * 2)
  const view = new DataView(bytes.buffer)
  view.setInt32(0, 348, true)
  for (const [i, value] of [3, 2, 2, 2].entries()) view.setInt16(40 + 2 * i, value, true)
  view.setInt16(70, 4, true)
  view.setFloat32(108, 352, true)
  for (let i = 0; i < 8; i++) view.setInt16(352 + 2 * i, i, true)
  change(view)
  return bytes
}

describe('readNifti', () => {
  test('reads a plain and a gzipped file, and ignores a slope of zero', () => {
    for (const bytes of [nifti(), gzipSync(nifti())]) {
      const volume = readNifti(bytes)
      expect([...volume.voxels]).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
      expect([volume.slope, volume.intercept]).toEqual([1, 0])
    }
  })

  test.for([
    { name: 'nothing', bytes: new Uint8Array(0) },
    { name: 'a file that is no NIfTI', bytes: new Uint8Array(400) },
    { name: 'a truncated file', bytes: nifti().subarray(0, 360) },
    { name: 'a size that lies', bytes: nifti(view => view.setInt16(42, 30_000, true)) },
    { name: 'no dimension', bytes: nifti(view => view.setInt16(40, 0, true)) },
    { name: 'a negative length', bytes: nifti(view => view.setInt16(44, -5, true)) },
    { name: 'an unknown element type', bytes: nifti(view => view.setInt16(70, 128, true)) },
    { name: 'an offset that is no number', bytes: nifti(view => view.setFloat32(108, Number.NaN, true)) },
    { name: 'a gzip file that breaks off', bytes: gzipSync(nifti()).subarray(0, 40) },
  ])('refuses $name', ({ bytes }) => {
    expect(() => readNifti(bytes)).toThrow(expect.objectContaining({ code: 'DATA_VOLUME_INVALID' }))
  })
})

const mha = (lines: string, data: Uint8Array) =>
  Buffer.concat([Buffer.from(`${lines}\nElementDataFile = LOCAL\n`), data])
const decode = (bytes: Uint8Array) => decodeMetaImage(parseMetaImageHeader(bytes), bytes)

describe('encodeNifti', () => {
  test('writes what the reader reads', () => {
    const volume = {
      shape: [3, 2, 2],
      dtype: 'int16',
      voxels: Int16Array.from({ length: 12 }, (_, i) => i * 100 - 600),
      slope: 2,
      intercept: -5,
      spacing: [0.5, 2, 8],
      affine: [-0.5, 0, 0, 1, 0, -2, 0, 2, 0, 0, 8, 3],
      warnings: [],
    } as const
    expect(readNifti(encodeNifti(volume))).toEqual(volume)
    expect(readNifti(gzipSync(encodeNifti(volume)))).toEqual(volume)
  })
})

describe('decodeMetaImage', () => {
  const fields = 'NDims = 2\nDimSize = 2 2\nElementType = MET_SHORT'
  const voxels = new Uint8Array(Int16Array.from([1, 2, 3, -4]).buffer)

  test('reads raw, compressed and big-endian data', () => {
    expect([...decode(mha(fields, voxels)).voxels]).toEqual([1, 2, 3, -4])
    expect([...decode(mha(`${fields}\nCompressedData = True`, deflateSync(voxels))).voxels]).toEqual([1, 2, 3, -4])
    const swapped = Buffer.from(voxels).swap16()
    expect([...decode(mha(`${fields}\nBinaryDataByteOrderMSB = True`, swapped)).voxels]).toEqual([1, 2, 3, -4])
  })

  test.for([
    { name: 'a header without a data file', bytes: Buffer.from('NDims = 2\n') },
    { name: 'a line without a value', bytes: Buffer.from('hello\n') },
    { name: 'a data file in another folder', bytes: Buffer.from('ElementDataFile = ../../x.raw\n') },
    { name: 'too few bytes', bytes: mha(fields, voxels.subarray(0, 6)) },
    { name: 'a shape that lies', bytes: mha('DimSize = 99999 99999 999\nElementType = MET_SHORT', voxels) },
    { name: 'a shape that is none', bytes: mha('DimSize = two 2\nElementType = MET_SHORT', voxels) },
    { name: 'an unknown element type', bytes: mha('DimSize = 2 2\nElementType = MET_LONG_LONG', voxels) },
    { name: 'colours', bytes: mha(`${fields}\nElementNumberOfChannels = 3`, voxels) },
    {
      name: 'data that inflate to more than the header says',
      bytes: mha(`${fields}\nCompressedData = True`, deflateSync(new Uint8Array(100_000))),
    },
    { name: 'spacing that is no number', bytes: mha(`${fields}\nElementSpacing = a b`, voxels) },
  ])('refuses $name', ({ bytes }) => {
    expect(() => decode(bytes)).toThrow(expect.objectContaining({ code: 'DATA_VOLUME_INVALID' }))
  })
})

describe('axialSlices', () => {
  test('looks at the patient from the feet, front up, whatever the stored axes are', () => {
    // Stored axes: head, left, back; a bright voxel at the patient's right front of the second slice from the feet.
    const shape = [4, 2, 3]
    const voxels = new Uint8Array(24)
    voxels[1 + 4 * 0 + 8 * 0] = 200
    const affine = [0, -1, 0, 0, 0, 0, -1, 0, 1, 0, 0, 0]
    const slices = axialSlices({
      shape,
      dtype: 'uint8',
      voxels,
      slope: 1,
      intercept: 0,
      spacing: [1, 1, 1],
      affine,
      warnings: [],
    })
    expect(slices.map(({ width, height }) => [width, height])).toEqual([
      [2, 3],
      [2, 3],
      [2, 3],
      [2, 3],
    ])
    expect(slices.map(({ data }) => data.findIndex(level => level > 0))).toEqual([-1, 0, -1, -1])
  })

  test('applies slope, intercept and window', () => {
    const volume = {
      shape: [3, 1, 1],
      dtype: 'int16',
      voxels: Int16Array.from([0, 1024, 2048]),
      slope: 1,
      intercept: -1024,
      spacing: [1, 1, 1],
      affine: [-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0],
      warnings: [],
    } as const
    const [slice] = axialSlices(volume, { count: 1, window: { center: 0, width: 2048 } })
    expect([...slice!.data]).toEqual([0, 0, 0, 128, 128, 128, 255, 255, 255])
  })

  test.for([
    { length: 8, want: [1, 3, 5, 7] },
    { length: 100, want: [12, 37, 62, 87] },
    { length: 1, want: [0, 0, 0, 0] },
  ])('takes interior positions of $length', ({ length, want }) => {
    expect(interiorPositions(length)).toEqual(want)
  })
})

describe('frames around a point', () => {
  // 8 x 8 x 8 voxels of 2 mm, stored to the left, the back and the head; the voxel (2, 5, 4) is marked.
  const shape = [8, 8, 8]
  const marked = 2 + 8 * 5 + 64 * 4
  const volume = {
    shape,
    dtype: 'uint8',
    voxels: Uint8Array.from({ length: 512 }, (_, i) => (i === marked ? 7 : 0)),
    slope: 1,
    intercept: 0,
    spacing: [2, 2, 2],
    affine: [-2, 0, 0, 100, 0, -2, 0, 50, 0, 0, 2, -30],
    warnings: [],
  } as const
  /** Millimetres of the marked voxel, by its affine. */
  const point = [100 - 4, 50 - 10, -30 + 8] as const

  test('put the point in the middle, and take slices on both sides', () => {
    const around = { point, sideMm: 6, stepMm: 2 }
    const slices = axialSlices(volume, { around, count: 3, window: { center: 3.5, width: 7 } })
    expect(slices.map(({ width, height }) => [width, height])).toEqual([
      [3, 3],
      [3, 3],
      [3, 3],
    ])
    expect(slices.map(({ data }) => data.indexOf(255))).toEqual([-1, 12, -1])
    const masks = axialMasks(volume, [7], { around, count: 3 })
    expect(masks.map(({ data }) => data.indexOf(1))).toEqual([-1, 4, -1])
    expect(axialMasks(volume, [6], { around, count: 3 }).every(({ data }) => !data.includes(1))).toBe(true)
  })

  test('stay inside the volume at its edges', () => {
    const corner = [100, 50, -30] as const
    const [slice] = axialSlices(volume, { around: { point: corner, sideMm: 1000, stepMm: 50 }, count: 2 })
    expect([slice!.width, slice!.height]).toEqual([8, 8])
  })

  test.for([
    { name: 'a point outside', change: {}, at: [200, 0, 0] as const },
    { name: 'an affine without a volume', change: { affine: Array.from({ length: 12 }, () => 0) }, at: point },
  ])('refuse $name', ({ change, at }) => {
    expect(() => axialSlices({ ...volume, ...change }, { around: { point: at, sideMm: 6, stepMm: 2 } })).toThrow(
      expect.objectContaining({ code: 'DATA_VOLUME_INVALID' }),
    )
  })
})

function wideHead(extra: string): Buffer {
  return Buffer.from(`NDims = 3\nDimSize = 6 1 1\nElementType = MET_LONG_LONG\n${extra}ElementDataFile = LOCAL\n`)
}

describe('integers of 64 bits', () => {
  const values = [0n, 1n, -2n, 3n, 2n ** 40n, 5n]
  const stored = Buffer.from(BigInt64Array.from(values).buffer)
  const geometry = {
    slope: 1,
    intercept: 0,
    spacing: [1, 1, 1],
    affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0],
    warnings: [],
  }

  test('are read from NIfTI files as libraries write masks, and those beyond 2 ** 53 are counted', () => {
    const file = Buffer.from(
      encodeNifti({ ...geometry, shape: [6, 1, 1], dtype: 'float64', voxels: new Float64Array(6) }),
    )
    file.writeInt16LE(1024, 70)
    stored.copy(file, 352)
    expect(readNifti(file)).toMatchObject({ dtype: 'float64', warnings: [] })
    expect([...readNifti(file).voxels]).toEqual(values.map(Number))
    file.writeBigInt64LE(2n ** 60n + 1n, 352)
    expect(readNifti(file).warnings).toEqual(['1 integers of 64 bits are not exact'])
  })

  test('are read from MetaImages; voxels written as text are refused', () => {
    const file = Buffer.concat([wideHead(''), stored])
    expect([...decodeMetaImage(parseMetaImageHeader(file), file).voxels]).toEqual(values.map(Number))
    const text = Buffer.concat([wideHead('BinaryData = False\n'), Buffer.from('1 2 3 4 5 6 7 8'.repeat(9))])
    expect(() => decodeMetaImage(parseMetaImageHeader(text), text)).toThrow(
      expect.objectContaining({ code: 'DATA_VOLUME_INVALID', message: expect.stringContaining('as text') as string }),
    )
  })
})

import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { sha256OfArray } from '../media/array-summary.ts'
import { dicomPictures } from './dicom-display.ts'
import { decodeDicom } from './dicom-image.ts'
import { inspectDicom } from '../inspect/inspect-dicom.ts'
import { packRle } from './pack-rle.testing.ts'
import {
  imageElements,
  syntaxes,
  writeDicomFile,
  writeEncapsulatedFile,
  type ElementToWrite,
  type PixelsToWrite,
} from './write-data-set.testing.ts'

interface Table {
  readonly type: 'table'
  readonly count: number
  readonly first: number
  readonly bits: number
  readonly curve: 'gamma' | 'falling' | 'steps'
}

/** One combination of fixtures/dicom-pictures.json.gz, made by tooling/oracles/dicom_pictures.py. */
interface Case {
  readonly photometric: string
  readonly samples: number
  readonly allocated: 8 | 16 | 32
  readonly stored: number
  readonly signed: boolean
  readonly planar: number
  readonly syntax: 'implicit' | 'explicit' | 'big' | 'deflated' | 'rle'
  readonly modality:
    | { readonly type: 'none' }
    | { readonly type: 'rescale'; readonly slope: number; readonly intercept: number }
    | Table
  readonly voi:
    | { readonly type: 'none' }
    | { readonly type: 'window'; readonly center: number; readonly width: number; readonly shape: string }
    | Table
  readonly shape: string | null
  readonly palette: { readonly count: number; readonly first: number; readonly bits: number } | null
  readonly junk: boolean
  readonly seed: number
  /** pydicom's: the first 16 digits of the SHA-256 of stored and of calibrated values, and the picture. */
  readonly want: { readonly stored: string; readonly physical: string; readonly shown: string }
}

const fixture = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../fixtures/dicom-pictures.json.gz')
const { rows, columns, cases } = JSON.parse(gunzipSync(readFileSync(fixture)).toString('utf8')) as {
  readonly rows: number
  readonly columns: number
  readonly cases: readonly Case[]
} // written by the script

function numbers(seed: number, count: number, bits: number): number[] {
  let x = seed
  return Array.from({ length: count }, () => {
    x = (Math.imul(1_664_525, x) + 1_013_904_223) >>> 0
    return (x >>> 16) & (2 ** bits - 1)
  })
}

const arrays = {
  true: { 8: Int8Array, 16: Int16Array, 32: Int32Array },
  false: { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array },
} as const

/** The numbers of the case; two's complement does the rest. */
function pixelsOf({ seed, samples, stored, allocated, signed, junk, photometric }: Case): PixelsToWrite['pixels'] {
  const count = rows * columns * samples
  const low = numbers(seed, count, Math.min(stored, 16))
  const high = numbers(seed + 1, count, allocated - stored)
  const isNegative = (value: number) => signed && value >= 2 ** (stored - 1)
  const values = low.map((value, i) =>
    junk ? value | (high[i]! << stored) : isNegative(value) ? value - 2 ** stored : value,
  ) // as many
  return arrays[`${signed}`][allocated].from(
    photometric === 'YBR_FULL_422' ? values.slice(0, rows * columns * 2) : values,
  )
}

const curves = {
  gamma: (x: number) => x ** 2,
  falling: (x: number) => 1 - x,
  steps: (x: number) => Math.floor(x * 7) / 7,
}

function table({ count, first, bits, curve }: Table): ElementToWrite[] {
  const entries = Array.from({ length: count }, (_, i) =>
    Math.floor(curves[curve](i / (count - 1)) * (2 ** bits - 1) + 0.5),
  )
  return [
    ['00283002', first < 0 ? 'SS' : 'US', [count, first, bits]],
    ['00283006', 'OW', entries],
  ]
}

function paletteElements({ count, first, bits }: NonNullable<Case['palette']>): ElementToWrite[] {
  return [0, 1, 2].flatMap(channel => {
    const levels = Array.from({ length: count }, (_, x) => (x * (channel + 1) * 7 + channel * 50) % 256)
    return [
      [`0028110${channel + 1}`, first < 0 ? 'SS' : 'US', [count, first, bits]] as const,
      [
        `0028120${channel + 1}`,
        'OW',
        bits === 16 ? levels.map(level => level * 257) : Uint8Array.from(levels),
      ] as const,
    ]
  })
}

function othersOf({ modality, voi, shape, palette }: Case): ElementToWrite[] {
  return [
    ...(modality.type === 'rescale'
      ? ([
          ['00281052', 'DS', String(modality.intercept)],
          ['00281053', 'DS', String(modality.slope)],
        ] as const)
      : []),
    ...(modality.type === 'table' ? ([['00283000', 'SQ', [table(modality)]]] as const) : []),
    ...(voi.type === 'window'
      ? ([
          ['00281050', 'DS', String(voi.center)],
          ['00281051', 'DS', String(voi.width)],
          ...(voi.shape === '' ? [] : ([['00281056', 'CS', voi.shape]] as const)),
        ] as const)
      : []),
    ...(voi.type === 'table' ? ([['00283010', 'SQ', [table(voi)]]] as const) : []),
    ...(shape === null ? [] : ([['20500020', 'CS', shape]] as const)),
    ...(palette === null ? [] : paletteElements(palette)),
  ]
}

const written = {
  implicit: syntaxes.implicitLittle,
  explicit: syntaxes.explicitLittle,
  big: syntaxes.explicitBig,
  deflated: syntaxes.deflated,
  rle: syntaxes.rle,
}

/** The file of a case. Planes are stored one after the other; RLE stores them so whatever the planar configuration says. */
function fileOf(entry: Case): Uint8Array {
  const { samples, stored, photometric, planar, syntax } = entry
  const pixels = pixelsOf(entry)
  const isPlanar = planar === 1
  const size = rows * columns
  const laid =
    isPlanar && syntax !== 'rle' ? pixels.map((_, i) => pixels[(i % size) * 3 + Math.floor(i / size)]!) : pixels // as many
  const image = { rows, columns, samples, photometric, bitsStored: stored, pixels: laid, isPlanar }
  const elements = imageElements(image, othersOf(entry))
  return syntax === 'rle'
    ? writeEncapsulatedFile(elements, { syntax: written.rle, frames: [packRle(pixels, samples)] })
    : writeDicomFile(elements, { syntax: written[syntax] })
}

function nameOf({
  photometric,
  allocated,
  stored,
  signed,
  planar,
  syntax,
  modality,
  voi,
  shape,
  palette,
  junk,
  seed,
}: Case): string {
  const parts = [
    `${photometric} ${stored}/${allocated}`,
    signed && 'signed',
    planar === 1 && 'planar',
    syntax,
    junk && 'with bits above',
  ]
  const colours = palette && `palette of ${palette.bits} bits from ${palette.first}`
  const seen = voi.type === 'window' ? voi.shape || 'window' : voi.type
  const steps = [
    modality.type !== 'none' && `modality ${modality.type}`,
    seen !== 'none' && `VOI ${seen}`,
    shape,
    colours,
    `#${seed}`,
  ]
  return [...parts, ...steps].filter(part => typeof part === 'string').join(', ')
}

describe('pictures of pydicom, pixel for pixel', () => {
  test('there are some hundred of them', () => {
    expect(cases.length).toBeGreaterThan(300)
  })

  test.for(cases.map(entry => [nameOf(entry), entry] as const))('%s', async ([, entry]) => {
    const bytes = fileOf(entry)
    const image = await decodeDicom(bytes)
    expect(sha256OfArray(image.pixels).slice(0, 16)).toBe(entry.want.stored)
    expect((await inspectDicom(bytes)).sha256Physical?.slice(0, 16)).toBe(entry.want.physical)
    const [picture] = dicomPictures(image)
    const isGrey = entry.samples === 1 && entry.palette === null
    const shown = isGrey ? picture?.data.filter((_, i) => i % 3 === 0) : picture?.data
    expect([...(shown ?? [])]).toEqual([...Buffer.from(entry.want.shown, 'base64')])
  })
})

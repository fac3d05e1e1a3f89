import { inflateSync } from 'node:zlib'
import { dataErrors } from '../errors.ts'
import { isPlainFileName } from '../wfdb/file-name.ts'
import {
  readWideIntegers,
  type wideIntegers,
  nonFiniteWarning,
  viewVoxels,
  voxelTypes,
  type Volume,
  type VoxelType,
} from './voxels.ts'

const dtypeOfName: ReadonlyMap<string, VoxelType> = new Map([
  ['MET_UCHAR', 'uint8'],
  ['MET_CHAR', 'int8'],
  ['MET_SHORT', 'int16'],
  ['MET_USHORT', 'uint16'],
  ['MET_INT', 'int32'],
  ['MET_UINT', 'uint32'],
  // MetaIO's long has four bytes on every machine.
  ['MET_LONG', 'int32'],
  ['MET_ULONG', 'uint32'],
  ['MET_FLOAT', 'float32'],
  ['MET_DOUBLE', 'float64'],
])

/** Names of integers of 64 bits. */
const wideKindOfName: ReadonlyMap<string, keyof typeof wideIntegers> = new Map([
  ['MET_LONG_LONG', 'int64'],
  ['MET_ULONG_LONG', 'uint64'],
])

/** Header lines end within this many bytes; ITK writes a few hundred, converters of DICOM tags and comments far more. */
export const maxMetaHeaderBytes = 2 ** 24
/** A volume may take 2 GiB. */
const maxVolumeBytes = 2 ** 31 - 1
/** Deflate makes at most 1,032 bytes of one. */
const maxRatio = 1032
/** What may follow the voxels of a compressed file. */
const slackBytes = 1024

/** A parsed MetaImage header. */
export interface MetaImageHeader {
  /** The data file, a plain name beside the header; undefined when the data follow the header. */
  readonly dataFile: string | undefined
  /** Where the header ends. */
  readonly headerBytes: number
  readonly fields: ReadonlyMap<string, string>
}

/**
 * Parses the header of a `.mhd` or `.mha` file.
 *
 * @throws DATA_VOLUME_INVALID when it has no data file, or one outside its folder
 */
export function parseMetaImageHeader(bytes: Uint8Array): MetaImageHeader {
  const fields = new Map<string, string>()
  for (const { line, end } of headerLines(bytes)) {
    const equals = line.indexOf('=')
    if (equals < 0) throw invalid('a header line has no "="')
    const [name, value] = [line.slice(0, equals).trim(), line.slice(equals + 1).trim()]
    fields.set(name, value)
    if (name !== 'ElementDataFile') continue
    if (value === 'LOCAL') return { dataFile: undefined, headerBytes: end, fields }
    if (!isPlainFileName(value)) throw invalid('its data lie in several files or outside its folder')
    return { dataFile: value, headerBytes: end, fields }
  }
  throw invalid('it names no data file')
}

/** Tells by content whether bytes start like a MetaImage header. */
export function isMetaImage(bytes: Uint8Array): boolean {
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, probedBytes))
  return /^\s*(ObjectType|ObjectSubType|NDims|Comment|BinaryData|TransformType)\s*=/.test(start)
}

const probedBytes = 256
const lineFeed = 10

/** The lines of a header, without blanks around them, with where each ends. */
function* headerLines(bytes: Uint8Array): Generator<{ readonly line: string; readonly end: number }> {
  const decoder = new TextDecoder('latin1')
  for (let at = 0; at < bytes.length;) {
    const found = bytes.indexOf(lineFeed, at)
    const end = found < 0 ? bytes.length : found
    if (end > maxMetaHeaderBytes) throw invalid('its header is longer than 16 MiB')
    yield { line: decoder.decode(bytes.subarray(at, end)).trim(), end: end + (found < 0 ? 0 : 1) }
    at = end + 1
  }
}

/**
 * Decodes a MetaImage.
 *
 * @param header from `parseMetaImageHeader`
 * @param data the bytes of the data file, or of the whole `.mha` file
 * @throws DATA_VOLUME_INVALID when fields are missing or sizes lie
 */
export function decodeMetaImage(header: MetaImageHeader, data: Uint8Array): Volume {
  const { fields, dataFile, headerBytes } = header
  const numbers = (name: string, fallback: readonly number[]) => numbersOf(fields, name) ?? fallback
  const shape = metaImageShape(header)
  const rank = shape.length
  const wideKind = wideKindOfName.get(fields.get('ElementType') ?? '')
  const dtype = wideKind ? 'float64' : dtypeOfName.get(fields.get('ElementType') ?? '')
  if (dtype === undefined) throw invalid('its ElementType is not read')
  if (numbers('ElementNumberOfChannels', [1])[0] !== 1) throw invalid('it has several channels')
  if (/false/i.test(fields.get('BinaryData') ?? 'True')) throw invalid('its voxels are written as text')
  const count = shape.reduce((product, length) => product * length, 1)
  const need = count * voxelTypes[dtype].bytes
  if (need > maxVolumeBytes) throw invalid(`its header claims ${need} bytes, more than 2 GiB`)
  const stored = storedBytes(data.subarray(dataFile === undefined ? headerBytes : 0), { fields, need })
  if (stored.length < need) throw invalid(`its header claims ${need} bytes, it has ${stored.length}`)
  const isLittleEndian = !/true/i.test(
    fields.get('BinaryDataByteOrderMSB') ?? fields.get('ElementByteOrderMSB') ?? 'False',
  )
  const spacing = numbers(
    'ElementSpacing',
    numbers(
      'ElementSize',
      shape.map(() => 1),
    ),
  )
  const origin = numbers(
    'Offset',
    numbers(
      'Position',
      numbers(
        'Origin',
        shape.map(() => 0),
      ),
    ),
  )
  const direction = numbers('TransformMatrix', numbers('Rotation', numbers('Orientation', [])))
  if ([...spacing, ...origin, ...direction].some(value => !Number.isFinite(value)))
    throw invalid('its geometry is not finite')
  const wide = wideKind && readWideIntegers(stored, wideKind, { start: 0, count, isLittleEndian })
  const voxels = wide?.voxels ?? viewVoxels(stored, { start: 0, count, dtype, isLittleEndian })
  return {
    shape,
    dtype,
    voxels,
    slope: 1,
    intercept: 0,
    spacing,
    affine: affineOf({ spacing, origin, direction, rank }),
    warnings: [
      ...(stored.length > need ? [`${stored.length - need} bytes follow the data`] : []),
      ...(wide?.warnings ?? nonFiniteWarning(voxels)),
    ],
  }
}

/**
 * Gives the size along the stored axes.
 *
 * @throws DATA_VOLUME_INVALID when the header has none
 */
export function metaImageShape({ fields }: MetaImageHeader): readonly number[] {
  const shape = numbersOf(fields, 'DimSize') ?? []
  if (!(shape.length >= 2 && shape.length <= 4) || shape.some(length => !Number.isSafeInteger(length) || length < 1))
    throw invalid('its DimSize is no shape')
  return shape
}

function numbersOf(fields: ReadonlyMap<string, string>, name: string): number[] | undefined {
  return fields.get(name)?.split(/\s+/).map(Number)
}

function storedBytes(
  data: Uint8Array,
  { fields, need }: { fields: ReadonlyMap<string, string>; need: number },
): Uint8Array {
  if (!/true/i.test(fields.get('CompressedData') ?? 'False')) {
    const skip = Number(fields.get('HeaderSize') ?? 0)
    return skip === -1 ? data.subarray(Math.max(0, data.length - need)) : data.subarray(skip)
  }
  if (need > data.length * maxRatio)
    throw invalid(`its header claims ${need} bytes, ${data.length} compressed ones cannot hold them`)
  try {
    return inflateSync(data, { maxOutputLength: need + slackBytes, chunkSize: need + slackBytes })
  } catch (cause) {
    throw dataErrors.VOLUME_INVALID({ problem: 'its data do not inflate to the size of its header' }, { cause })
  }
}

interface Geometry {
  readonly spacing: readonly number[]
  readonly origin: readonly number[]
  /** Unit vectors of the stored axes, one after the other. */
  readonly direction: readonly number[]
  readonly rank: number
}

/** MetaImage axes run to the left, the back and the head (LPS); x and y change sign. */
function affineOf({ spacing, origin, direction, rank }: Geometry): number[] {
  const cosine = (row: number, axis: number) =>
    row < rank && axis < rank ? (direction[axis * rank + row] ?? (row === axis ? 1 : 0)) : row === axis ? 1 : 0
  return [0, 1, 2].flatMap(row => {
    const sign = row < 2 ? -1 : 1
    return [...[0, 1, 2].map(axis => sign * cosine(row, axis) * (spacing[axis] ?? 1)), sign * (origin[row] ?? 0)]
  })
}

function invalid(problem: string): Error {
  return dataErrors.VOLUME_INVALID({ problem })
}

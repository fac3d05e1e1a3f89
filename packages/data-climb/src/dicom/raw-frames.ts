import { dataErrors } from '../errors.ts'
import { readVoxels, type Voxels } from '../volume/voxels.ts'
import { interleavePlanes, spread422 } from './colour-conversion.ts'
import type { DicomFile } from './dicom-file.ts'
import { bytesOf, elementOf } from './dicom-values.ts'
import { maxFrames, type PixelLayout } from './pixel-layout.ts'

/** Pixels that are not compressed: how many frames there are, and how to take some of them. */
export interface RawFrames {
  readonly frames: number
  /** Reads frames by position: [positions, rows, columns, samples], in colours as stored. */
  readonly read: (positions: readonly number[]) => Voxels
}

/**
 * Finds the frames of pixels that are not compressed. Bytes that suffice for more frames than are claimed are taken for
 * frames, as pydicom does.
 *
 * @throws DATA_DICOM_INVALID when there are fewer bytes than the tags claim
 */
export function rawFrames(
  { dataSet, transferSyntax }: DicomFile,
  layout: PixelLayout,
  warn: (warning: string) => void,
): RawFrames {
  const { rows, columns, samples, bitsAllocated, pixelTag } = layout
  const stored = bytesOf(dataSet, pixelTag) ?? new Uint8Array()
  if (elementOf(dataSet, pixelTag)?.encapsulatedPixelData === true)
    throw dataErrors.DICOM_INVALID({ problem: 'its pixels are encapsulated, the transfer syntax says otherwise' })
  const isSubsampled = isShared(layout, stored.length, warn)
  const frameBits = rows * columns * (isSubsampled ? 2 : samples) * bitsAllocated
  const needBytes = Math.ceil((frameBits * layout.frames) / 8)
  if (stored.length < needBytes)
    throw dataErrors.DICOM_INVALID({
      problem: `its pixel data have ${stored.length} bytes, its tags claim ${needBytes}`,
    })
  const whole = Math.floor((stored.length * 8) / frameBits)
  const frames =
    bitsAllocated === 1 || isSubsampled || whole > maxFrames ? layout.frames : Math.max(layout.frames, whole)
  if (frames > layout.frames)
    warn(`the pixels suffice for ${frames} frames, the tags claim ${layout.frames}; all were read`)
  const extra = stored.length - Math.ceil((frameBits * frames) / 8)
  if (extra > 1) warn(`${extra} bytes follow the pixels`)
  const bytes = isSwapped(layout, transferSyntax.isLittleEndian, elementOf(dataSet, pixelTag)?.vr)
    ? swappedPairs(stored)
    : stored
  const at = { layout, bytes, frameBits, isSubsampled, isLittleEndian: transferSyntax.isLittleEndian }
  return { frames, read: positions => readFrames(positions, at) }
}

/** Whether two pixels share their colour; a third more bytes than that say that they do not. */
function isShared(
  { colour, rows, columns, frames, bitsAllocated }: PixelLayout,
  bytes: number,
  warn: (warning: string) => void,
): boolean {
  if (colour.isSubsampled !== true) return false
  const isFull = bytes >= (rows * columns * 3 * bitsAllocated * frames) / 8
  if (isFull) warn('the pixels are as long as if every one had its own colour, and were read so')
  return !isFull
}

/** Pixels of 8 bits in big-endian words stand in pairs the wrong way round (PS3.5 D.2). */
function isSwapped({ bitsAllocated }: PixelLayout, isLittleEndian: boolean, vr: string | undefined): boolean {
  return !isLittleEndian && bitsAllocated <= 8 && vr === 'OW'
}

function swappedPairs(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length)
  for (let i = 0; i < bytes.length; i++) out[i ^ 1] = bytes[i]! // bounded by the loop; lengths are even
  return out
}

interface Source {
  readonly layout: PixelLayout
  readonly bytes: Uint8Array
  readonly frameBits: number
  readonly isSubsampled: boolean
  readonly isLittleEndian: boolean
}

function readFrames(positions: readonly number[], source: Source): Voxels {
  const { layout, bytes, frameBits, isSubsampled, isLittleEndian } = source
  const { rows, columns, samples, dtype, isPlanar } = layout
  const count = positions.length * rows * columns * samples
  const isAll = positions.every((position, i) => position === i)
  if (layout.bitsAllocated === 1) return unpackedBits(bytes, positions, frameBits)
  const frameBytes = frameBits / 8
  const chosen = isAll
    ? bytes
    : Buffer.concat(positions.map(position => bytes.subarray(position * frameBytes, (position + 1) * frameBytes)))
  const stored = readVoxels(chosen, {
    start: 0,
    count: (positions.length * frameBytes) / layout.bytesPerSample,
    dtype,
    isLittleEndian,
  })
  if (isSubsampled) return spread422(stored, { count, dtype })
  return isPlanar ? interleavePlanes(stored, { plane: rows * columns, dtype }) : stored
}

/** Frames of single bits follow each other without padding, the lowest bit of a byte first. */
function unpackedBits(bytes: Uint8Array, positions: readonly number[], frameBits: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(positions.length * frameBits)
  for (const [i, position] of positions.entries())
    for (let to = i * frameBits, from = position * frameBits, end = from + frameBits; from < end; from++, to++)
      out[to] = (bytes[from >> 3]! >> (from & 7)) & 1 // inside: the caller has checked the length
  return out
}

import type { DataSet, Element } from 'dicom-parser'
import { dataErrors } from '../errors.ts'
import { bytesOf } from './dicom-values.ts'

interface Fragment {
  /** From the first fragment's item tag, as offset tables count. */
  readonly offset: number
  readonly bytes: Uint8Array
}

const extendedOffsets = 'x7fe00001'
/** An end-of-image marker may be followed by padding. */
const endingBytes = 10

/**
 * Puts the fragments of encapsulated pixel data together to frames (PS3.5 A.4): by the offset table, else one to one, else
 * by the markers that end JPEG streams.
 *
 * @param frames how many the tags claim
 * @returns at least `frames` frames; more where the file holds more
 * @throws DATA_DICOM_INVALID when the fragments do not make up the frames
 */
export function encapsulatedFrames(dataSet: DataSet, element: Element, frames: number): Uint8Array[] {
  const { fragments, offsets } = itemsOf(dataSet.byteArray, element)
  const starts = offsets.length > 0 ? offsets : extendedOffsetsOf(dataSet)
  if (starts.length >= frames && starts.length > 1) {
    const grouped = groupByStart(fragments, starts)
    if (grouped) return grouped.map(joined)
  }
  if (frames === 1) return [joined(fragments)]
  if (fragments.length === frames) return fragments.map(({ bytes }) => bytes)
  const ended = groupByEnding(fragments)
  if (ended.length < frames) throw invalid('its pixel fragments do not add up to its frames')
  return ended.map(joined)
}

const itemTag = 0xe000fffe
const delimiterTag = 0xe0ddfffe

/** Walks over the items of pixel data of undefined length: an offset table, which may be empty, then fragments. */
function itemsOf(
  bytes: Uint8Array,
  element: Element,
): { readonly fragments: Fragment[]; readonly offsets: readonly number[] } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const items: { readonly at: number; readonly bytes: Uint8Array }[] = []
  for (let at = element.dataOffset; at + 8 <= bytes.length && view.getUint32(at, true) !== delimiterTag;) {
    if (view.getUint32(at, true) !== itemTag) throw invalid('its pixel data are not encapsulated')
    const end = at + 8 + view.getUint32(at + 4, true)
    if (end > bytes.length) throw invalid('a pixel fragment runs past the end')
    items.push({ at, bytes: bytes.subarray(at + 8, end) })
    at = end
  }
  const [table, ...fragments] = items
  const first = fragments[0]?.at
  if (!table || first === undefined) throw invalid('its pixel data are not encapsulated')
  const offsets = Array.from({ length: table.bytes.length >> 2 }, (_, i) => view.getUint32(table.at + 8 + i * 4, true))
  return { offsets, fragments: fragments.map(({ at, bytes: own }) => ({ offset: at - first, bytes: own })) }
}

/** Offsets of the frames by the extended offset table, which has 64 bits. */
function extendedOffsetsOf(dataSet: DataSet): readonly number[] {
  const bytes = bytesOf(dataSet, extendedOffsets) ?? new Uint8Array()
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.length >> 3 }, (_, i) => Number(view.getBigUint64(i * 8, true)))
}

/** Fragments from one start to the next; undefined when a start is not that of a fragment. */
function groupByStart(fragments: readonly Fragment[], starts: readonly number[]): Fragment[][] | undefined {
  const at = new Map(fragments.map(({ offset }, i) => [offset, i]))
  const firsts = starts.map(start => at.get(start))
  if (firsts.some((first, i) => first === undefined || first <= (firsts[i - 1] ?? -1))) return undefined
  return firsts.map((first, i) => fragments.slice(first, firsts[i + 1] ?? fragments.length))
}

function groupByEnding(fragments: readonly Fragment[]): Fragment[][] {
  const frames: Fragment[][] = []
  let current: Fragment[] = []
  for (const fragment of fragments) {
    current.push(fragment)
    if (!endsImage(fragment.bytes)) continue
    frames.push(current)
    current = []
  }
  return frames
}

function endsImage(bytes: Uint8Array): boolean {
  for (let at = bytes.length - 2; at >= Math.max(0, bytes.length - endingBytes); at--)
    if (bytes[at] === 0xff && bytes[at + 1] === 0xd9) return true
  return false
}

function joined(fragments: readonly Fragment[]): Uint8Array {
  const [first] = fragments
  return fragments.length === 1 && first ? first.bytes : Buffer.concat(fragments.map(({ bytes }) => bytes))
}

function invalid(problem: string): Error {
  return dataErrors.DICOM_INVALID({ problem })
}

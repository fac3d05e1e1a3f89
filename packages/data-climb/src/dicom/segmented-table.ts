import { dataErrors } from '../errors.ts'

/** Segments may name earlier segments, which may not do so again (PS3.3 C.7.9.2.3). */
const maxDepth = 1

/**
 * Expands a segmented palette (PS3.3 C.7.9.2): runs of entries, straight lines, and repeated earlier segments.
 *
 * @param segments numbers as stored: opcode, length, then what the opcode needs
 * @param count entries that the table has
 * @returns [count] entries; a table that stops early goes on with its last entry
 * @throws DATA_DICOM_INVALID when a segment is unknown, or the table grows beyond `count`
 */
export function expandSegments(segments: ArrayLike<number>, count: number, isWide: boolean): Uint16Array {
  const entries: number[] = []
  expandFrom(segments, { entries, count, isWide, depth: 0 }, { at: 0, segmentsLeft: Infinity })
  if (entries.length === 0) throw invalid('a segmented palette is empty')
  while (entries.length < count) entries.push(entries.at(-1) ?? 0)
  return Uint16Array.from(entries)
}

interface Expansion {
  readonly entries: number[]
  readonly count: number
  readonly isWide: boolean
  readonly depth: number
}

function expandFrom(
  segments: ArrayLike<number>,
  to: Expansion,
  { at, segmentsLeft }: { at: number; segmentsLeft: number },
): void {
  for (; at + 1 < segments.length && segmentsLeft > 0; segmentsLeft--) {
    const [opcode, length] = [segments[at], segments[at + 1] ?? 0]
    at += 2
    if (to.entries.length + (opcode === 2 ? 0 : length) > to.count) return refuseOverflow(to, segments, at)
    if (opcode === 0) for (let i = 0; i < length; i++) to.entries.push(segments[at++] ?? 0)
    else if (opcode === 1) addLine(to.entries, segments[at++] ?? 0, length)
    else if (opcode === 2) at = repeatSegments(segments, to, { at, length })
    else throw invalid('a segmented palette has an unknown segment')
  }
}

/** A zero at the end is padding; anything else is a table that grows beyond its size. */
function refuseOverflow({ entries, count }: Expansion, segments: ArrayLike<number>, at: number): void {
  if (entries.length < count || at < segments.length) throw invalid('a segmented palette is longer than it claims')
}

/** Points of a straight line from the last entry to `end`, the first one left out. */
function addLine(entries: number[], end: number, length: number): void {
  const start = entries.at(-1)
  if (start === undefined) throw invalid('a segmented palette begins with a line')
  for (let i = 1; i <= length; i++) entries.push(roundHalfEven(start + ((end - start) * i) / length))
}

/** Halves go to the even neighbour, as NumPy rounds them. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value)
  if (value - floor !== 0.5) return Math.round(value)
  return floor % 2 === 0 ? floor : floor + 1
}

function repeatSegments(
  segments: ArrayLike<number>,
  to: Expansion,
  { at, length }: { readonly at: number; readonly length: number },
): number {
  if (to.depth >= maxDepth || to.entries.length === 0) throw invalid('a segmented palette repeats what it may not')
  const part = (i: number) => segments[at + i] ?? 0
  const offset = to.isWide ? part(1) * 65_536 + part(0) : part(3) * 2 ** 24 + part(2) * 65_536 + part(1) * 256 + part(0)
  // Offsets count bytes in the standard; pydicom and the files it was tested with count entries.
  expandFrom(segments, { ...to, depth: to.depth + 1 }, { at: offset, segmentsLeft: length })
  return at + (to.isWide ? 2 : 4)
}

function invalid(problem: string): Error {
  return dataErrors.DICOM_INVALID({ problem })
}

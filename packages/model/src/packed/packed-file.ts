import { open, type FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { float32ToBfloat16, sizeOf } from '@qoq-med/tensor'
import type { StoredCodes } from '../checkpoint/gguf-codes.ts'
import { codeBytes, isCoded, type PackedEntry, type PackedLayout, type PackedPlace } from './packed-layout.ts'
import { startRounders, type Rounders } from './rounders.ts'

/** Reads rows of a parameter from row `start` on. */
export interface PackedReader {
  /** As float32 into `target` [rows * size of a row]. */
  readonly readRows: (name: string, start: number, target: Float32Array) => Promise<void>
  /** In the codes that they are stored in. */
  readonly readCodes: (name: string, start: number, rows: number) => Promise<StoredCodes>
}

/** Weights that are in memory as float32 at a time, in each of the places. */
const elementsAtOnce = 1 << 21
/** Places for rows that are read, rounded and written at the same time. */
const places = 4

/**
 * Writes parameters into a packed file, some rows at a time: float32 of a whole matrix never exists. While rows are rounded, in threads
 * of their own where there are many, the next are read and the last written.
 */
export async function writePackedFile(
  path: string,
  layout: PackedLayout,
  source: PackedReader,
  signal?: AbortSignal,
): Promise<void> {
  const handle = await open(path, 'wx')
  const parts = [...layout.entries.values()].flatMap(partsOf)
  const rounders = startRounders(parts.reduce((sum, part) => sum + sizeOfPart(part), 0))
  const bytes = 4 * Math.max(0, ...parts.map(sizeOfPart))
  const buffers = Array.from({ length: places }, () => new Float32Array(new SharedArrayBuffer(bytes)))
  const read = async (
    { entry, name, start, rows }: Part,
    values: Float32Array,
  ): Promise<Float32Array | StoredCodes> => {
    if (entry.isStored) return source.readCodes(name, start, rows)
    await source.readRows(name, start, values)
    return values
  }
  /** By place: what was there is rounded or copied. */
  const rounded: Promise<readonly Piece[]>[] = []
  /** By place: what was there is written, so that no more waits than there are places. */
  const writes: Promise<void>[] = []
  let written: Promise<void> = Promise.resolve()
  try {
    await handle.truncate(layout.lengthBytes)
    for (const [at, part] of parts.entries()) {
      signal?.throwIfAborted()
      await rounded[at % places]
      await writes[at % places]
      const values = await read(part, buffers[at % places]!.subarray(0, sizeOfPart(part)))
      const pieces = piecesOf(part.entry, part.row, values, rounders)
      rounded[at % places] = pieces
      const before = written
      written = before.then(async () => writePieces(handle, await pieces))
      writes[at % places] = written
      // What fails is told at the end, or when its place is wanted.
      written.catch(() => undefined)
    }
    await written
    await handle.sync()
  } finally {
    await Promise.allSettled([...rounded, written])
    await rounders.close()
    await handle.close()
  }
}

/** Rows of a parameter that are read and written together. */
interface Part {
  readonly entry: PackedEntry
  readonly name: string
  /** The first among the parameter's rows, and among the entry's. */
  readonly start: number
  readonly row: number
  readonly rows: number
}

function partsOf(entry: PackedEntry): Part[] {
  const most = Math.max(1, Math.floor(elementsAtOnce / sizeOf(entry.shape.slice(1))))
  let row = 0
  return entry.names.flatMap((name, i) => {
    const count = entry.rowCounts[i]! // one per name
    return Array.from({ length: Math.ceil(count / most) }, (_, at): Part => {
      const rows = Math.min(most, count - at * most)
      row += rows
      return { entry, name, start: at * most, row: row - rows, rows }
    })
  })
}

function sizeOfPart({ entry, rows }: Part): number {
  return rows * sizeOf(entry.shape.slice(1))
}

/** Bytes and where they go. */
interface Piece {
  readonly values: Float32Array | Uint16Array | Uint8Array
  readonly start: number
}

async function piecesOf(
  entry: PackedEntry,
  row: number,
  read: Float32Array | StoredCodes,
  rounders: Rounders,
): Promise<Piece[]> {
  const { kind, blockSize, shape, values: codesAt, scales: scalesAt, corrections: correctionsAt } = entry
  const inner = sizeOf(shape.slice(1))
  if (!('codes' in read) && !isCoded(kind)) {
    // What is not rounded is copied: its memory is read into while it is written.
    const values = kind === 'bfloat16' ? Uint16Array.from(read, float32ToBfloat16) : read.slice()
    return [{ values, start: codesAt.offsetBytes + codeBytes[kind] * row * inner }]
  }
  const { codes, scales, corrections }: StoredCodes =
    'codes' in read ? read : await rounders.round(read, inner, kind === 'int4' ? 4 : 8, blockSize)
  const blocks = Math.ceil(inner / blockSize)
  const at = ({ offsetBytes }: PackedPlace, rowBytes: number): number => offsetBytes + row * rowBytes
  return [
    { values: codes, start: at(codesAt, blocks * blockSize * codeBytes[kind]) },
    ...(scalesAt ? [{ values: scales, start: at(scalesAt, 4 * blocks) }] : []),
    ...(corrections && correctionsAt ? [{ values: corrections, start: at(correctionsAt, 4 * blocks) }] : []),
  ]
}

async function writePieces(handle: FileHandle, pieces: readonly Piece[]): Promise<void> {
  for (const { values, start } of pieces) await writeAll(handle, values, start)
}

async function writeAll(handle: FileHandle, values: Piece['values'], start: number): Promise<void> {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, start + done)
    done += bytesWritten
  }
}

/** Bytes of a file that are read at a time. */
const checkedBytes = 1 << 23

/** A file's length and CRC-32, which runs at some gigabytes a second. */
export async function fileChecksum(path: string): Promise<{ readonly bytes: number; readonly crc32: number }> {
  const handle = await open(path, 'r')
  try {
    const buffer = Buffer.allocUnsafe(checkedBytes)
    let [bytes, sum] = [0, 0]
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, bytes)
      if (bytesRead === 0) return { bytes, crc32: sum }
      sum = crc32(buffer.subarray(0, bytesRead), sum)
      bytes += bytesRead
    }
  } finally {
    await handle.close()
  }
}

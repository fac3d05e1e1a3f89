import { open, type FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { sizeOf } from '@qoq-med/tensor'
import type { PackedEntry, PackedLayout } from './packed-layout.ts'
import { roundBlocks } from './round-blocks.ts'

/** Reads rows of a parameter as float32, from row `start` on, into `target` [rows * size of a row]. */
export type ReadRows = (name: string, start: number, target: Float32Array) => Promise<void>

/** Weights that are in memory as float32 at a time. */
const elementsAtOnce = 1 << 21

/**
 * Writes parameters into a packed file, some rows at a time: float32 of a whole matrix never exists. While rows are rounded the next
 * are read and the last written.
 */
export async function writePackedFile(path: string, layout: PackedLayout, readRows: ReadRows): Promise<void> {
  const handle = await open(path, 'wx')
  const parts = [...layout.entries.values()].flatMap(partsOf)
  const buffers = [0, 1].map(() => new Float32Array(Math.max(0, ...parts.map(sizeOfPart))))
  const read = async (at: number): Promise<Float32Array> => {
    const part = parts[at]
    const values = buffers[at % 2]!.subarray(0, part ? sizeOfPart(part) : 0)
    if (part) await readRows(part.name, part.start, values)
    return values
  }
  let [ahead, written] = [read(0), Promise.resolve()]
  try {
    await handle.truncate(layout.lengthBytes)
    for (const [at, { entry, row }] of parts.entries()) {
      const values = await ahead
      ahead = read(at + 1)
      const pieces = piecesOf(entry, row, values)
      await written
      written = writePieces(handle, pieces)
    }
    await written
    await handle.sync()
  } finally {
    await Promise.allSettled([ahead, written])
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
  readonly values: Float32Array | Uint8Array
  readonly start: number
}

function piecesOf(
  { kind, shape, values: codesAt, scales: scalesAt }: PackedEntry,
  row: number,
  values: Float32Array,
): Piece[] {
  const inner = sizeOf(shape.slice(1))
  // What is not rounded is copied: its memory is read into while it is written.
  if (scalesAt === undefined) return [{ values: values.slice(), start: codesAt.offsetBytes + 4 * row * inner }]
  const { codes, scales } = roundBlocks(values, inner, kind === 'int4' ? 4 : 8)
  const rows = values.length / inner
  return [
    { values: codes, start: codesAt.offsetBytes + (row * codes.length) / rows },
    { values: scales, start: scalesAt.offsetBytes + (4 * row * scales.length) / rows },
  ]
}

async function writePieces(handle: FileHandle, pieces: readonly Piece[]): Promise<void> {
  for (const { values, start } of pieces) await writeAll(handle, values, start)
}

async function writeAll(handle: FileHandle, values: Float32Array | Uint8Array, start: number): Promise<void> {
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

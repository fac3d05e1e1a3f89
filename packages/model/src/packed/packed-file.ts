import { open, type FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { sizeOf } from '@qoq-med/tensor'
import type { PackedEntry, PackedLayout } from './packed-layout.ts'
import { roundBlocks } from './round-blocks.ts'

/** Reads rows of a parameter as float32, from row `start` on, into `target` [rows * size of a row]. */
export type ReadRows = (name: string, start: number, target: Float32Array) => Promise<void>

/** Weights that are in memory as float32 at a time. */
const elementsAtOnce = 1 << 21

/** Writes parameters into a packed file, some rows at a time: float32 of a whole matrix never exists. */
export async function writePackedFile(path: string, layout: PackedLayout, readRows: ReadRows): Promise<void> {
  const handle = await open(path, 'wx')
  try {
    await handle.truncate(layout.lengthBytes)
    for (const entry of layout.entries.values()) await writeEntry(handle, entry, readRows)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function writeEntry(handle: FileHandle, entry: PackedEntry, readRows: ReadRows): Promise<void> {
  const rowSize = sizeOf(entry.shape.slice(1))
  const outer = entry.shape[0] ?? 1
  const most = Math.max(1, Math.floor(elementsAtOnce / rowSize))
  const values = new Float32Array(Math.min(most, outer) * rowSize)
  let row = 0
  for (const [i, name] of entry.names.entries()) {
    const rows = entry.rowCounts[i]! // one per name
    for (let start = 0; start < rows; start += most) {
      const part = values.subarray(0, Math.min(most, rows - start) * rowSize)
      await readRows(name, start, part)
      await writeRows(handle, entry, row, part)
      row += part.length / rowSize
    }
  }
}

async function writeRows(
  handle: FileHandle,
  { kind, shape, values: codesAt, scales: scalesAt }: PackedEntry,
  row: number,
  values: Float32Array,
): Promise<void> {
  const inner = sizeOf(shape.slice(1))
  const rows = values.length / inner
  if (kind === 'float32' || scalesAt === undefined) {
    await writeAll(handle, values, codesAt.offsetBytes + 4 * row * inner)
    return
  }
  const rounded = roundBlocks(values, inner, kind === 'int4' ? 4 : 8)
  await writeAll(handle, rounded.codes, codesAt.offsetBytes + (row * rounded.codes.length) / rows)
  await writeAll(handle, rounded.scales, scalesAt.offsetBytes + (4 * row * rounded.scales.length) / rows)
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

import type { FileHandle } from 'node:fs/promises'
import { ByteReader } from './byte-reader.ts'
import { readRange } from './file-range.ts'

/** A file inside an archive, stored without compression. */
export interface ZipEntry {
  readonly name: string
  readonly startByte: number
  readonly lengthBytes: number
}

const endSignature = 0x06054b50
const centralSignature = 0x02014b50
const localSignature = 0x04034b50
const endBytes = 22
/** The end record may be followed by a comment of up to 65,535 bytes. */
const maxTailBytes = endBytes + 0xffff
/** The central directory of a checkpoint: a hundred bytes for each of its tensors. */
const maxDirectoryBytes = 1 << 24

/**
 * Lists the files of a zip archive as PyTorch writes it. Compressed and encrypted entries and the 64-bit format are refused:
 * no checkpoint of the models here has them, and a stored entry cannot grow when it is read.
 *
 * @param fail makes the error for what is wrong
 */
export async function readZipEntries(
  handle: FileHandle,
  fileBytes: number,
  fail: (problem: string) => Error,
): Promise<Map<string, ZipEntry>> {
  const tailBytes = Math.min(fileBytes, maxTailBytes)
  const tail = await readRange(handle, fileBytes - tailBytes, tailBytes)
  const end = new ByteReader(tail, fail, endRecord(tail, fail))
  end.take(10)
  const count = end.u16()
  const directoryBytes = end.u32()
  const directoryStart = end.u32()
  if (directoryBytes > maxDirectoryBytes || directoryStart + directoryBytes > fileBytes) {
    throw fail(`its directory claims the bytes ${directoryStart} to ${directoryStart + directoryBytes} of ${fileBytes}`)
  }
  const directory = new ByteReader(await readRange(handle, directoryStart, directoryBytes), fail)
  const entries = new Map<string, ZipEntry>()
  for (let i = 0; i < count; i++) {
    const { name, headerStart, lengthBytes } = directoryRow(directory, fail)
    if (entries.has(name)) throw fail(`it has the entry ${JSON.stringify(name)} twice`)
    const startByte = await dataStart(handle, fileBytes, headerStart, fail)
    if (startByte + lengthBytes > directoryStart)
      throw fail(`the entry ${JSON.stringify(name)} does not end before the directory`)
    entries.set(name, { name, startByte, lengthBytes })
  }
  checkOverlaps(entries, fail)
  return entries
}

function endRecord(tail: Uint8Array, fail: (problem: string) => Error): number {
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength)
  for (let at = tail.length - endBytes; at >= 0; at--) if (view.getUint32(at, true) === endSignature) return at
  throw fail('it has no end record of a zip archive')
}

function directoryRow(
  directory: ByteReader,
  fail: (problem: string) => Error,
): { name: string; headerStart: number; lengthBytes: number } {
  if (directory.u32() !== centralSignature) throw fail('its directory is damaged')
  directory.take(4)
  const [flags, method] = [directory.u16(), directory.u16()]
  directory.take(8)
  const [storedBytes, lengthBytes] = [directory.u32(), directory.u32()]
  const [nameBytes, extraBytes, commentBytes] = [directory.u16(), directory.u16(), directory.u16()]
  directory.take(8)
  const headerStart = directory.u32()
  const name = directory.text(nameBytes)
  directory.take(extraBytes + commentBytes)
  if (method !== 0 || storedBytes !== lengthBytes) throw fail(`the entry ${JSON.stringify(name)} is compressed`)
  if ((flags & 1) !== 0) throw fail(`the entry ${JSON.stringify(name)} is encrypted`)
  if (lengthBytes === 0xffffffff || headerStart === 0xffffffff) throw fail('it is in the 64-bit zip format')
  return { name, headerStart, lengthBytes }
}

/** Where an entry's data begin: behind its own header, whose length the directory does not say. */
async function dataStart(
  handle: FileHandle,
  fileBytes: number,
  headerStart: number,
  fail: (problem: string) => Error,
): Promise<number> {
  const headerBytes = 30
  if (headerStart + headerBytes > fileBytes)
    throw fail(`an entry claims to begin at byte ${headerStart} of ${fileBytes}`)
  const header = new ByteReader(await readRange(handle, headerStart, headerBytes), fail)
  if (header.u32() !== localSignature) throw fail(`there is no entry at byte ${headerStart}`)
  header.take(22)
  return headerStart + headerBytes + header.u16() + header.u16()
}

function checkOverlaps(entries: ReadonlyMap<string, ZipEntry>, fail: (problem: string) => Error): void {
  const ordered = [...entries.values()].toSorted((a, b) => a.startByte - b.startByte)
  for (const [i, entry] of ordered.entries()) {
    const before = ordered[i - 1]
    if (before && before.startByte + before.lengthBytes > entry.startByte) {
      throw fail(`the entries ${JSON.stringify(before.name)} and ${JSON.stringify(entry.name)} overlap`)
    }
  }
}

import type { FileHandle } from 'node:fs/promises'
import { modelErrors } from '../errors.ts'

/** Reads bytes of a file; the caller has checked that it is so long. */
export async function readRange(handle: FileHandle, start: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length)
  await fillRange(handle, bytes, start)
  return bytes
}

/** Fills an array from a file, from byte `start` on. @throws MODEL_FILE_CHANGED when the file has become shorter since its header was read */
export async function fillRange(handle: FileHandle, bytes: Uint8Array, start: number): Promise<void> {
  let done = 0
  while (done < bytes.length) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + done)
    if (bytesRead === 0) throw modelErrors.FILE_CHANGED({ wanted: start + bytes.length, found: start + done })
    done += bytesRead
  }
}

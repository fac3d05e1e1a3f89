import { open, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { dataErrors } from '../errors.ts'

/** Node reads files of less than 2 GiB at once; readers that need less of a file ask for its start. */
const maxFileBytes = 2 ** 31 - 1

/**
 * Reads a file, or its first bytes. Links are followed; what they lead to must be a regular file, since a device or a pipe may
 * never end.
 *
 * @param first how many bytes are wanted at most
 * @param inside folders in one of which the file must lie after links are resolved
 * @throws DATA_INPUT_MISSING, DATA_INPUT_IRREGULAR
 */
export async function readInputFile(
  file: string,
  { first, inside }: { readonly first?: number; readonly inside?: readonly string[] } = {},
): Promise<Uint8Array> {
  const name = path.basename(file)
  const found = await opened(name, () => stat(file))
  if (!found.isFile()) throw dataErrors.INPUT_IRREGULAR({ file: name, problem: 'it is no regular file' })
  if (inside !== undefined && !(await opened(name, () => liesInside(file, inside))))
    throw dataErrors.INPUT_IRREGULAR({ file: name, problem: 'it leads outside its folder' })
  const size = Math.min(found.size, first ?? Infinity)
  if (size > maxFileBytes)
    throw dataErrors.INPUT_IRREGULAR({ file: name, problem: `it has ${found.size} bytes, more than are read at once` })
  return opened(name, () => readStart(file, size))
}

/** Reads as many bytes as there are, up to `size`: a file that grows or shrinks meanwhile does no harm. */
async function readStart(file: string, size: number): Promise<Uint8Array> {
  const handle = await open(file)
  try {
    const bytes = new Uint8Array(size)
    let filled = 0
    while (filled < size) {
      const { bytesRead } = await handle.read(bytes, filled, size - filled, filled)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return bytes.subarray(0, filled)
  } finally {
    await handle.close()
  }
}

async function liesInside(file: string, folders: readonly string[]): Promise<boolean> {
  const [target = '', ...roots] = await Promise.all([file, ...folders].map(entry => realpath(entry)))
  return roots.some(root => target.startsWith(root.endsWith(path.sep) ? root : root + path.sep))
}

async function opened<Value>(name: string, use: () => Promise<Value>): Promise<Value> {
  try {
    return await use()
  } catch (cause) {
    throw dataErrors.INPUT_MISSING({ file: name }, { cause })
  }
}

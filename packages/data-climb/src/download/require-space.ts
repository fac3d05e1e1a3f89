import { statfs } from 'node:fs/promises'
import { dataErrors } from '../errors.ts'
import type { ListedFile } from './listings.ts'

/** Kept free on the disk beyond what is fetched. */
const reserveBytes = 2 ** 30

/**
 * Looks whether the disk has room before anything is fetched.
 *
 * @returns what one file may take of it
 * @throws DATA_DISK_FULL
 */
export async function requireSpace(
  root: string,
  missing: readonly Pick<ListedFile, 'bytes' | 'aboutBytes' | 'archive'>[],
): Promise<number> {
  const needBytes = missing.reduce(
    (sum, { bytes, aboutBytes = 0, archive }) => sum + (bytes ?? aboutBytes) * (archive ? 2 : 1),
    0,
  )
  const { bavail, bsize } = await statfs(root)
  const freeBytes = bavail * bsize
  if (missing.length > 0 && needBytes + reserveBytes > freeBytes)
    throw dataErrors.DISK_FULL({ needBytes: needBytes + reserveBytes, freeBytes, root })
  return freeBytes - reserveBytes
}

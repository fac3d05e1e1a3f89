import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import path from 'node:path'
import { readInputFile } from '../files/input-file.ts'
import { parseMetaImageHeader } from '../volume/meta-image.ts'
import { readWfdbHeader } from '../ecg/wfdb-file.ts'
import { signalFileBytes } from '../wfdb/signal-files.ts'

/**
 * Hashes what a file of a sample shows, read in pieces: SHA-256 in hexadecimal. Of an ECG record and of a MetaImage the
 * data files are hashed, since their headers carry their names.
 *
 * @throws WFDB_FILE_MISSING, WFDB_BAD_HEADER, DATA_VOLUME_INVALID, or the file system's error
 */
export async function contentHash(file: string): Promise<string> {
  const hash = createHash('sha256')
  for (const part of await filesOfContent(file))
    for await (const chunk of createReadStream(part)) hash.update(chunk as Buffer) // a stream without encoding gives buffers
  return hash.digest('hex')
}

/**
 * Files that hold what a file of a sample shows: of an ECG header its signal files, of a MetaImage header its data file.
 *
 * @throws WFDB_FILE_MISSING, WFDB_BAD_HEADER, DATA_VOLUME_INVALID, or the file system's error
 */
export async function filesOfContent(file: string): Promise<string[]> {
  const beside = (name: string) => path.join(path.dirname(file), name)
  if (file.endsWith('.hea')) return [...signalFileBytes(await readWfdbHeader(file)).keys()].map(beside)
  if (!/\.mhd$/i.test(file)) return [file]
  const { dataFile } = parseMetaImageHeader(await readInputFile(file))
  return dataFile === undefined ? [file] : [beside(dataFile)]
}

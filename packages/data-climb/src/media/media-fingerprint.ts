import { createHash, type Hash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { contentHash, filesOfContent } from './content-hash.ts'
import type { Sample } from '../sample/sample.ts'

/** How a fingerprint looks at files: at their size and time of change, or at every byte. */
export type FingerprintMode = 'stat' | 'hash'

/**
 * Fingerprints the media of samples: it changes when a picture, a recording or its signal file changes, is added or goes,
 * so that a run that is resumed can tell whether it goes on with the same data. The folder may be another one.
 *
 * @param mode `stat` takes size and modification time of every file, `hash` the SHA-256 of its contents
 * @returns SHA-256 in hexadecimal
 * @example
 * const before = await mediaFingerprint(samples)
 */
export async function mediaFingerprint(
  samples: Iterable<Pick<Sample, 'id' | 'files'>> | AsyncIterable<Pick<Sample, 'id' | 'files'>>,
  { mode = 'stat' }: { readonly mode?: FingerprintMode } = {},
): Promise<string> {
  const hash = createHash('sha256').update(mode)
  for await (const { id, files } of samples) {
    hash.update(`\n${JSON.stringify(id)}`)
    for (const file of files) await addFile(hash, file, mode)
  }
  return hash.digest('hex')
}

/** Size and time of files, in one text; a file that is missing counts as such. */
export async function statFingerprint(files: readonly string[]): Promise<string> {
  const found = await Promise.all(files.map(file => stat(file).catch(() => undefined)))
  return found.map(one => (one ? `${one.size}@${Math.trunc(one.mtimeMs)}` : 'missing')).join('|')
}

async function addFile(hash: Hash, file: string, mode: FingerprintMode): Promise<void> {
  const isThere = await filesOfContent(file).catch(() => undefined)
  if (isThere === undefined) hash.update('|missing')
  else if (mode === 'stat') hash.update(`|${await statFingerprint(isThere)}`)
  else hash.update(`|${await contentHash(file).catch(() => 'missing')}`)
}

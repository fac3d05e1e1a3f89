import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..')

/** The folder with real samples and oracles, outside the repository. */
export const sharedFolder = process.env['QOQ_SHARED'] ?? path.resolve(repository, '../shared')

/** Why a test on real files is skipped, or an empty text. */
export const whySkipped = existsSync(path.join(sharedFolder, 'data/truth'))
  ? ''
  : ' (skipped: QOQ_SHARED has no data/truth)'

/** Absolute path of a real sample. */
export function realFile(...parts: string[]): string {
  return path.join(sharedFolder, 'data', ...parts)
}

/** A table of truth/*.json; where the folder is missing, one entry that a skipped test can name. */
export function truthTable<Entry>(name: string): [string, Entry][] {
  if (whySkipped !== '') return [['real files', {} as Entry]] // never read: the test is skipped
  const parsed = JSON.parse(readFileSync(realFile('truth', `${name}.json`), 'utf8')) as { files: Record<string, Entry> } // truth/*.json
  return Object.entries(parsed.files)
}

import { existsSync } from 'node:fs'
import path from 'node:path'

const repository = path.resolve(import.meta.dirname, '../../..')

/** Reference values too large for the repository: QOQ_SHARED, or ../shared beside it. */
const shared = process.env['QOQ_SHARED'] ?? path.resolve(repository, '../shared')

/** A path below the folder of reference values. */
export function sharedFile(name: string): string {
  return path.join(shared, name)
}

/** Why tests with reference values or real data are skipped; empty where they run. */
export function whySkipped(name: string): string {
  return existsSync(sharedFile(name)) ? '' : ` (skipped: there is no ${sharedFile(name)})`
}

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

/** The folder of reference files: the variable QOQ_SHARED, or `shared` beside the repository. */
const sharedFolder: string = process.env.QOQ_SHARED ?? resolve(import.meta.dirname, '../../../../shared')

/** A file of ../shared/oracles. */
export const oracleFile = (path: string): string => resolve(sharedFolder, 'oracles', path)

/** Why tests that read ../shared are skipped, or undefined when it is there. */
export const missingOracles: string | undefined = existsSync(oracleFile('README.md'))
  ? undefined
  : `no reference files in ${sharedFolder} (set QOQ_SHARED)`

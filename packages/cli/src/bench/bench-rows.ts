import { nearestName } from '@qoq-med/errors'
import { cliErrors } from '../errors.ts'
import type { BenchRow } from './base/bench-row.ts'
import { dataRows } from './rows/data-rows.ts'
import { generationRows } from './rows/generation-rows.ts'
import { libraryRows } from './rows/library-rows.ts'
import { realRows } from './rows/real-rows.ts'
import { policyRows } from './rows/policy-rows.ts'
import { serverRows } from './rows/server-rows.ts'
import { tensorRows } from './rows/tensor-rows.ts'

/** Every line of `qoq bench`. */
export const benchRows: readonly BenchRow[] = [
  ...tensorRows,
  ...generationRows,
  ...policyRows,
  ...serverRows,
  ...libraryRows,
  ...dataRows,
  ...realRows,
]

/** The group of a row: what comes before the slash. */
export function groupOf({ name }: Pick<BenchRow, 'name'>): string {
  return name.slice(0, name.indexOf('/'))
}

/**
 * Chooses rows by their names or by those of their groups; all where no name is given.
 *
 * @throws CLI_VALUE_INVALID with the nearest name as a hint
 */
export function selectRows(names: readonly string[], rows: readonly BenchRow[] = benchRows): readonly BenchRow[] {
  if (names.length === 0) return rows
  const groups = [...new Set(rows.map(groupOf))]
  for (const name of names) {
    if (groups.includes(name) || rows.some(row => row.name === name)) continue
    const known = [...groups, ...rows.map(row => row.name)]
    const expected = `one of ${groups.join(', ')}, or a row such as ${nearestName(name, known) ?? rows[0]?.name ?? ''}`
    throw cliErrors.VALUE_INVALID({ name: 'NAME', value: name, expected, known })
  }
  return rows.filter(row => names.includes(row.name) || names.includes(groupOf(row)))
}

import { nearestName } from '@qoq-med/errors'
import { drpoErrors } from './errors.ts'

/** One option: its default, its range, and what it does. */
export type OptionRow =
  | {
      readonly type: 'number'
      readonly default: number
      readonly minimum: number
      readonly maximum: number
      readonly integer?: boolean
      readonly about: string
    }
  | { readonly type: 'boolean'; readonly default: boolean; readonly about: string }
  | { readonly type: 'choice'; readonly default: string; readonly choices: readonly string[]; readonly about: string }

/** The options of an estimator or a loss, by name; a plain table that a form or a docs page can be made from. */
export type OptionTable = Readonly<Record<string, OptionRow>>

/** The values that a table of options describes. */
export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends { readonly type: 'number' }
    ? number
    : Table[Name] extends { readonly type: 'boolean' }
      ? boolean
      : Table[Name] extends { readonly choices: readonly (infer Choice)[] }
        ? Choice
        : never
}

/**
 * Checks options that may come from JSON and fills in the defaults.
 *
 * @param owner who has the options, for the error's sentence
 * @throws DRPO_UNKNOWN_OPTION for a name that is not in the table, with the nearest one
 * @throws DRPO_INVALID_OPTION for a value of the wrong type or out of range
 */
export function parseOptions<const Table extends OptionTable>(
  owner: string,
  table: Table,
  given: unknown = {},
): OptionValues<Table> {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw drpoErrors.FIELD_INVALID({ field: `options of ${owner}`, expected: 'an object', found: show(given) })
  const known = Object.keys(table)
  for (const option of Object.keys(given)) {
    if (!Object.hasOwn(table, option))
      throw drpoErrors.UNKNOWN_OPTION({ owner, option, nearest: nearestName(option, known), known })
  }
  const source = given as Readonly<Record<string, unknown>> // an object with no names but the table's
  const values = Object.entries(table).map(([option, row]) => {
    const value = source[option] === undefined ? row.default : source[option]
    if (!fits(row, value))
      throw drpoErrors.INVALID_OPTION({ owner, option, expected: describeRow(row), found: show(value) })
    return [option, value]
  })
  return Object.fromEntries(values) as OptionValues<Table> // every name of the table, each checked against its row
}

function fits(row: OptionRow, value: unknown): boolean {
  if (row.type === 'boolean') return typeof value === 'boolean'
  if (row.type === 'choice') return typeof value === 'string' && row.choices.includes(value)
  if (typeof value !== 'number' || !(value >= row.minimum && value <= row.maximum)) return false
  return row.integer !== true || Number.isInteger(value)
}

function describeRow(row: OptionRow): string {
  if (row.type === 'boolean') return 'true or false'
  if (row.type === 'choice') return `one of ${row.choices.join(', ')}`
  return `${row.integer === true ? 'an integer' : 'a number'} from ${row.minimum} to ${row.maximum}`
}

/** Names a value that was not expected, without printing a long one. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

import { parse } from 'csv-parse/sync'
import type { Sample } from '@qoq-med/data-climb'
import { cliErrors } from '../errors.ts'

/** Columns that say which rows a line is about. */
const keyColumns = ['id', 'patient'] as const

/** An attribute of more groups is none: it may be a name. */
const mostGroups = 20

/** Who belongs to which groups. */
export interface Subgroups {
  /** The groups of a sample by attribute; nothing where it is not in the table. */
  readonly groupsOf: (sample: Sample) => Readonly<Record<string, string>> | undefined
  /** Samples that are in the table. */
  readonly matched: number
}

/**
 * Reads subgroups from a table: a column `id` (a sample's) or `patient`, and one for each attribute. `sex` is
 * read by its first letter, `age` in four bins of years, and both together; others as they stand. An empty cell is
 * unknown.
 *
 * @param text of a CSV file with a head
 * @param samples those that are evaluated; at least one must be in the table
 * @throws CLI_INPUT_INVALID, without a value of the table
 */
export async function readSubgroups(text: string, file: string, samples: readonly Sample[]): Promise<Subgroups> {
  const { ageGroup, jointGroup, sexGroup } = await import('@qoq-med/eval')
  const where = `The subgroup table ${file}`
  const rows = parseTable(text, where)
  const names = Object.keys(rows[0] ?? {})
  const key = keyColumns.find(name => names.includes(name))
  if (key === undefined) throw cliErrors.INPUT_INVALID({ where, field: 'head', problem: 'has no column id or patient' })
  const attributes = names.filter(name => !['id', 'patient', 'dataset'].includes(name))
  if (attributes.length === 0) throw cliErrors.INPUT_INVALID({ where, field: 'head', problem: 'has no other column' })
  const groupOf = (attribute: string, value: string): string | undefined => {
    if (value === '') return undefined
    if (attribute === 'age') return ageGroup(Number(value))
    return attribute === 'sex' ? sexGroup(value) : value
  }
  const groups = new Map<string, Record<string, string>>()
  for (const [index, row] of rows.entries()) {
    const name = keyOf(row[key] ?? '', row['dataset'])
    if (groups.has(name))
      throw cliErrors.INPUT_INVALID({ where, field: `line ${index + 2}`, problem: `has a ${key} a second time` })
    const known = attributes.flatMap(attribute => {
      const group = groupOf(attribute, row[attribute]?.trim() ?? '')
      return group === undefined ? [] : [[attribute, group] as const]
    })
    const own = Object.fromEntries(known)
    const joint = jointGroup([own['sex'], own['age']])
    const hasBoth = attributes.includes('sex') && attributes.includes('age')
    groups.set(name, hasBoth && joint !== undefined ? { ...own, 'sex and age': joint } : own)
  }
  for (const attribute of attributes)
    if (new Set([...groups.values()].map(own => own[attribute])).size > mostGroups)
      throw cliErrors.INPUT_INVALID({ where, field: attribute, problem: `has more than ${mostGroups} groups` })
  const groupsOf = (sample: Sample): Readonly<Record<string, string>> | undefined =>
    key === 'id'
      ? groups.get(sample.id)
      : (groups.get(keyOf(sample.patientId, sample.dataset)) ?? groups.get(sample.patientId))
  const matched = samples.filter(sample => groupsOf(sample) !== undefined).length
  if (matched === 0) throw cliErrors.INPUT_INVALID({ where, field: key, problem: 'names none of the samples' })
  return { groupsOf, matched }
}

/** A patient's id is one of its dataset, where the table names that. */
function keyOf(name: string, dataset: string | undefined): string {
  return dataset ? `${dataset}\n${name}` : name
}

function parseTable(text: string, where: string): Record<string, string>[] {
  try {
    return parse(text, { columns: true, bom: true, skip_empty_lines: true, trim: true })
  } catch (cause) {
    const lines = cause instanceof Error && 'lines' in cause ? `line ${String(cause.lines)}` : 'a line'
    throw cliErrors.INPUT_INVALID({ where, field: lines, problem: 'does not fit its head' })
  }
}

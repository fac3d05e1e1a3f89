import type { MetricRow } from '../metrics/outcomes.ts'
import { encodeOutcomes } from '../metrics/outcomes.ts'
import { type ClusterIndex, clusterIndex } from '../statistics/cluster-index.ts'
import { unknownGroup } from './demographic-group.ts'

/** A row with the groups of its patient, by attribute such as `sex`; a missing attribute is unknown. */
export interface SubgroupRow extends MetricRow {
  readonly groups?: Readonly<Record<string, string>>
}

/** Which classes a group is measured on: those of the dataset's truth, or (the public code) of the group's own. */
export type GroupClasses = 'dataset' | 'group'

/** One dataset's rows under one attribute. */
export interface AttributeRows {
  /** Names of groups, sorted; `unknown` is one of them. */
  readonly names: readonly string[]
  /** [N] */
  readonly groupOf: Int32Array
  /** [N * L] as in `Outcomes`. */
  readonly cells: Uint8Array
  readonly numLabels: number
  readonly patients: ClusterIndex
  /** [G] patients of each group. */
  readonly patientsOfGroup: readonly number[]
  /** Groups with patients enough to be ranked. */
  readonly ranked: readonly number[]
}

/** The attributes that any of the rows names, sorted. */
export function attributesOf(rows: readonly SubgroupRow[]): string[] {
  return [...new Set(rows.flatMap(({ groups = {} }) => Object.keys(groups)))].toSorted()
}

/** Lays one dataset's rows out under an attribute. */
export function attributeRows(
  rows: readonly SubgroupRow[],
  labels: readonly string[],
  { attribute, minPatients }: { readonly attribute: string; readonly minPatients: number },
): AttributeRows {
  const groupNames = rows.map(({ groups = {} }) =>
    Object.hasOwn(groups, attribute) ? groups[attribute]! : unknownGroup,
  )
  const names = [...new Set(groupNames)].toSorted()
  const numbers = new Map(names.map((name, index) => [name, index]))
  const groupOf = Int32Array.from(groupNames, name => numbers.get(name)!) // one of them
  const patients = clusterIndex(rows.map(({ patientId }) => patientId))
  const members = names.map(() => new Set<number>())
  for (const [row, group] of groupOf.entries()) members[group]!.add(patients.ofRow[row]!)
  const patientsOfGroup = members.map(({ size }) => size)
  return {
    names,
    groupOf,
    cells: encodeOutcomes(rows, labels).cells,
    numLabels: labels.length,
    patients,
    patientsOfGroup,
    ranked: [...names.keys()].filter(group => patientsOfGroup[group]! >= minPatients),
  }
}

import type { AttributeRows, GroupClasses } from './attribute-rows.ts'
import { countGroups, type GroupMeasures, measuresOf, spreadOf } from './group-measures.ts'

/** [G] measures of every group. */
export function measuresByGroup(
  counts: Float64Array,
  { names, numLabels }: AttributeRows,
  classes: GroupClasses,
): GroupMeasures[] {
  return names.map((_name, group) => {
    const own = counts.subarray(group * numLabels * 4, (group + 1) * numLabels * 4)
    return measuresOf(own, classesOf(counts, { group, groups: names.length, numLabels, classes }))
  })
}

/** Labels that are true somewhere: in the dataset, or in the group. */
export function classesOf(
  counts: Float64Array,
  { group, groups, numLabels, classes }: { group: number; groups: number; numLabels: number; classes: GroupClasses },
): number[] {
  const among = classes === 'group' ? [group] : Array.from({ length: groups }, (_, one) => one)
  return Array.from({ length: numLabels }, (_, label) => label).filter(label =>
    among.some(one => counts[(one * numLabels + label) * 4 + 1]! + counts[(one * numLabels + label) * 4 + 3]! > 0),
  )
}

/** What may be exchanged in the rows of an attribute before gaps are taken. */
export interface GapChanges {
  /** `dataset` by default. */
  readonly classes?: GroupClasses
  /** [N * L] in the place of the rows' own cells. */
  readonly cells?: Uint8Array
  /** [N] in the place of the rows' own groups. */
  readonly groupOf?: Int32Array
  /** [N] how often each row counts. */
  readonly weights?: Float64Array
}

/** The gap of every measure over the groups that are ranked. */
export function gapsOf(
  rows: AttributeRows,
  { classes = 'dataset', cells = rows.cells, groupOf = rows.groupOf, weights }: GapChanges = {},
): GroupMeasures {
  const counts = countGroups(cells, { groups: rows.names.length, groupOf, ...(weights && { weights }) })
  const measures = measuresByGroup(counts, rows, classes)
  return spreadOf(rows.ranked.map(group => measures[group]!)).gap
}

import type { DataSet } from 'dicom-parser'
import { decimalValue, itemsOf } from './dicom-values.ts'
import { lookUp, readLookupTable, tableTags, type LookupTable } from './lookup-table.ts'

/** How stored values become the modality's own, such as Hounsfield units. */
export type ModalityTransform =
  | { readonly type: 'rescale'; readonly slope: number; readonly intercept: number }
  | { readonly type: 'table'; readonly table: LookupTable }

const modalityTables = 'x00283000'

/**
 * Reads the Modality LUT, else slope and intercept (PS3.3 C.11.1).
 *
 * @param attributes where slope and intercept stand: the object, or a frame's functional group
 */
export function modalityTransform(
  dataSet: DataSet,
  attributes: DataSet,
  encoding: { readonly isSigned: boolean; readonly isLittleEndian: boolean },
): ModalityTransform {
  const [item] = itemsOf(dataSet, modalityTables)
  if (item) return { type: 'table', table: readLookupTable(item, tableTags, encoding) }
  const [slope, intercept] = [decimalValue(attributes, 'x00281053'), decimalValue(attributes, 'x00281052')]
  return { type: 'rescale', slope: slope ?? 1, intercept: intercept ?? 0 }
}

/** Applies the transform to a stored value. */
export function physicalValue(transform: ModalityTransform, stored: number): number {
  return transform.type === 'table' ? lookUp(transform.table, stored) : stored * transform.slope + transform.intercept
}

import { isEcgTable } from './ecg-table.ts'
import { isScp } from './scp-sections.ts'
import { rootName } from './xml-tree.ts'

/** Formats of electrocardiograms in one file, told by content. */
export type EcgFormat = 'hl7-aecg' | 'ge-muse' | 'philips-sierra' | 'scp-ecg' | 'ecg-csv'

const formatOfRoot: ReadonlyMap<string, EcgFormat> = new Map([
  ['AnnotatedECG', 'hl7-aecg'],
  ['RestingECG', 'ge-muse'],
  ['restingecgdata', 'philips-sierra'],
])

/**
 * Tells which format of electrocardiograms a file has, by its first bytes. DICOM files and WFDB records are told elsewhere.
 *
 * @param start the first 4,096 bytes, or more
 */
export function ecgFormatOf(start: Uint8Array): EcgFormat | undefined {
  if (isScp(start)) return 'scp-ecg'
  const root = rootName(start.subarray(0, 4096))
  if (root !== undefined) return formatOfRoot.get(root)
  return isEcgTable(start) ? 'ecg-csv' : undefined
}

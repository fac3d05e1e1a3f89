import type { DataSet } from 'dicom-parser'
import { dataErrors } from '../errors.ts'
import { bytesOf, elementOf, wordsOf } from './dicom-values.ts'

/** A lookup table: values below the first mapped one take the first entry, values behind the last one the last. */
export interface LookupTable {
  readonly firstMapped: number
  /** [entries] */
  readonly entries: Uint16Array
  /** Bits of an entry: the largest one may be 2 ** bits - 1. */
  readonly bits: number
}

/** The tags of a table's descriptor and of its entries. */
export interface TableTags {
  readonly descriptor: string
  readonly data: string
}

/** The tags of a Modality, VOI or Presentation LUT inside an item of its sequence. */
export const tableTags: TableTags = { descriptor: 'x00283002', data: 'x00283006' }

/** Looks a value up. */
export function lookUp({ firstMapped, entries }: LookupTable, value: number): number {
  const at = Math.max(0, Math.min(entries.length - 1, Math.floor(value) - firstMapped))
  return entries[at] ?? 0
}

/** A table's descriptor: how many entries, the first value that is mapped, bits of an entry. */
export interface TableDescriptor {
  readonly count: number
  readonly firstMapped: number
  readonly bits: number
}

/**
 * Reads a table's descriptor; zero entries mean 65,536 (PS3.3 C.11.1.1).
 *
 * @param isSigned whether the values that are looked up may be negative, which decides where elements have no VR
 * @throws DATA_DICOM_INVALID
 */
export function tableDescriptor(dataSet: DataSet, tag: string, isSigned: boolean): TableDescriptor {
  const [count, first, bits] = wordsOf(dataSet, tag) ?? []
  if (count === undefined || first === undefined || bits === undefined)
    throw dataErrors.DICOM_INVALID({ problem: 'a lookup table has no descriptor' })
  const vr = elementOf(dataSet, tag)?.vr
  const isNegative = (vr === 'SS' || (vr !== 'US' && isSigned)) && first > 0x7fff
  return { count: count === 0 ? 65_536 : count, firstMapped: isNegative ? first - 65_536 : first, bits }
}

/**
 * Reads a table whose entries are words, or bytes where there are half as many of them.
 *
 * @throws DATA_DICOM_INVALID when it is shorter than its descriptor says
 */
export function readLookupTable(
  dataSet: DataSet,
  { descriptor, data }: TableTags,
  { isSigned, isLittleEndian }: { readonly isSigned: boolean; readonly isLittleEndian: boolean },
): LookupTable {
  const { count, firstMapped, bits } = tableDescriptor(dataSet, descriptor, isSigned)
  const bytes = bytesOf(dataSet, data) ?? new Uint8Array()
  if (bytes.length < count) throw dataErrors.DICOM_INVALID({ problem: 'a lookup table is shorter than it claims' })
  const entries =
    bytes.length >= 2 * count
      ? (wordsOf(dataSet, data) ?? new Uint16Array()).subarray(0, count)
      : Uint16Array.from({ length: count }, (_, i) => bytes[isLittleEndian ? i : i ^ 1] ?? 0)
  return { firstMapped, entries, bits: Math.max(bits >= 1 && bits <= 16 ? bits : 1, bitsOf(entries)) }
}

/** Bits that the largest entry takes. */
export function bitsOf(entries: Uint16Array): number {
  let all = 0
  for (let i = 0; i < entries.length; i++) all |= entries[i]! // bounded by the loop
  return 32 - Math.clz32(all)
}

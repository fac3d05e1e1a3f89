import type { DataSet } from 'dicom-parser'
import { dataErrors } from '../errors.ts'
import { bytesOf, elementOf, wordsOf } from './dicom-values.ts'
import { bitsOf, lookUp, readLookupTable, tableDescriptor, type LookupTable } from './lookup-table.ts'
import { expandSegments } from './segmented-table.ts'

/** The red, green and blue tables of a PALETTE COLOR picture. */
export type Palette = readonly [LookupTable, LookupTable, LookupTable]

const channels = ['1', '2', '3'] as const

/**
 * Reads the palette, plain or segmented.
 *
 * @throws DATA_DICOM_INVALID when tables are missing, malformed or of different lengths
 */
export function readPalette(
  dataSet: DataSet,
  encoding: { readonly isSigned: boolean; readonly isLittleEndian: boolean },
): Palette {
  const tables = channels.map(channel => readChannel(dataSet, channel, encoding))
  const [red, green, blue] = tables
  if (!red || !green || !blue || new Set(tables.map(({ entries }) => entries.length)).size > 1)
    throw dataErrors.DICOM_INVALID({ problem: 'its palette tables differ in length' })
  return [red, green, blue]
}

function readChannel(
  dataSet: DataSet,
  channel: (typeof channels)[number],
  { isSigned, isLittleEndian }: { readonly isSigned: boolean; readonly isLittleEndian: boolean },
): LookupTable {
  const [descriptor, data, segmented] = [`x0028110${channel}`, `x0028120${channel}`, `x0028122${channel}`]
  if (elementOf(dataSet, data)) return readLookupTable(dataSet, { descriptor, data }, { isSigned, isLittleEndian })
  const { count, firstMapped, bits } = tableDescriptor(dataSet, descriptor, isSigned)
  const isWide = bits > 8
  const segments = isWide ? wordsOf(dataSet, segmented) : bytesOf(dataSet, segmented)
  if (!segments) throw dataErrors.DICOM_INVALID({ problem: 'it is in palette colours without a palette' })
  return { firstMapped, entries: expandSegments(segments, count, isWide), bits }
}

/**
 * Turns stored values into colours of 8 bits.
 *
 * @returns a function of the value and the channel, 0 to 2
 */
export function paletteLevels(palette: Palette): (value: number, channel: 0 | 1 | 2) => number {
  // Some writers store levels of 8 bits in tables that claim 16.
  const shift = Math.max(0, Math.max(...palette.map(({ entries }) => bitsOf(entries))) > 8 ? palette[0].bits - 8 : 0)
  return (value, channel) => lookUp(palette[channel], value) >> shift
}

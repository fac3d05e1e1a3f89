import type { DataSet } from 'dicom-parser'
import type { DicomFile } from './dicom-file.ts'
import { bytesOf, itemsOf, textValue } from './dicom-values.ts'
import { functionalGroups, groups } from './functional-groups.ts'
import { readLookupTable, tableTags, type LookupTable } from './lookup-table.ts'
import { modalityTransform, physicalValue, type ModalityTransform } from './modality-transform.ts'
import { readPalette, type Palette } from './palette.ts'
import type { PixelLayout } from './pixel-layout.ts'
import { voiTransform, type VoiTransform } from './voi-transform.ts'

/** How the values of one frame become shades. */
export interface FrameDisplay {
  readonly modality: ModalityTransform
  readonly voi: VoiTransform | undefined
}

/** How a file says that its pixels are shown, from stored values to shades (PS3.3 C.11, PS3.4 N.2). */
export interface DicomDisplay {
  /** Of each decoded frame. */
  readonly frames: readonly FrameDisplay[]
  /** Stored values from the first to the second that fill a rectangle and show nothing. */
  readonly padding: readonly [number, number] | undefined
  /** Maps shades to shades; rarely there. */
  readonly presentation: LookupTable | undefined
  /** Whether low values are bright. */
  readonly isInverted: boolean
  /** Colours of the stored values, where these are indexes. */
  readonly palette: Palette | undefined
}

/** Reads how pixels are shown. @throws DATA_DICOM_INVALID when a table is malformed */
export function readDisplay(
  { dataSet, transferSyntax: { isLittleEndian } }: DicomFile,
  {
    layout,
    positions,
    warn,
  }: { readonly layout: PixelLayout; readonly positions: readonly number[]; readonly warn: (warning: string) => void },
): DicomDisplay {
  const { isSigned, colour, dtype } = layout
  const isGrey = colour.kind === 'grey'
  const attributesOf = functionalGroups(dataSet)
  const frames = positions.map(position => {
    const attributes = attributesOf(position)
    const modality = modalityTransform(dataSet, attributes(groups.pixelTransformation), { isSigned, isLittleEndian })
    if (!isGrey) return { modality, voi: undefined }
    const encoding = { isSigned: canBeNegative(modality, layout), isLittleEndian }
    return { modality, voi: voiTransform(attributes(groups.voi), encoding, warn) }
  })
  const [presentation] = isGrey ? itemsOf(dataSet, 'x20500010') : []
  return {
    frames,
    padding: isGrey && !dtype.startsWith('float') ? paddingOf(dataSet, layout, warn) : undefined,
    presentation: presentation && readLookupTable(presentation, tableTags, { isSigned: false, isLittleEndian }),
    isInverted: isGrey && isInverted(dataSet, colour.isInverted === true, warn),
    palette: colour.kind === 'palette' ? readPalette(dataSet, { isSigned, isLittleEndian }) : undefined,
  }
}

/** Whether values of the modality may lie below zero, which descriptors of VOI tables do not say by themselves. */
function canBeNegative(modality: ModalityTransform, { isSigned, bitsStored }: PixelLayout): boolean {
  if (modality.type === 'table') return false
  const least = isSigned ? -(2 ** (bitsStored - 1)) : 0
  return Math.min(physicalValue(modality, least), physicalValue(modality, 0)) < 0
}

/** MONOCHROME1 and the shape INVERSE say the same thing where both stand, as they must in a DX image. */
function isInverted(dataSet: DataSet, isMonochrome1: boolean, warn: (warning: string) => void): boolean {
  const shape = textValue(dataSet, 'x20500020')
  if (shape !== undefined && shape !== 'IDENTITY' && shape !== 'INVERSE')
    warn('the Presentation LUT Shape is unknown and was not applied')
  return isMonochrome1 || shape === 'INVERSE'
}

const paddingValue = 'x00280120'
const paddingLimit = 'x00280121'

/** The padding value, to the limit of its range where there is one; compared as the pixels are stored. */
function paddingOf(
  dataSet: DataSet,
  { isSigned, bitsStored, bitsAllocated }: PixelLayout,
  warn: (warning: string) => void,
): readonly [number, number] | undefined {
  const [value, limit] = [paddingValue, paddingLimit].map(tag =>
    storedNumber(dataSet, tag, { isSigned, bitsAllocated }),
  )
  if (value === undefined) return undefined
  const [least, most] = isSigned ? [-(2 ** (bitsStored - 1)), 2 ** (bitsStored - 1) - 1] : [0, 2 ** bitsStored - 1]
  const ends = [Math.min(value, limit ?? value), Math.max(value, limit ?? value)] as const
  if (ends[1] >= least && ends[0] <= most) return ends
  warn('the padding value does not fit the stored bits, and was not applied')
  return undefined
}

/** A number of 16 bits with the sign of the pixels: writers store -2000 as US too. */
function storedNumber(
  dataSet: DataSet,
  tag: string,
  { isSigned, bitsAllocated }: { readonly isSigned: boolean; readonly bitsAllocated: number },
): number | undefined {
  const bytes = bytesOf(dataSet, tag)
  if (!bytes || bytes.length < 2) return undefined
  if (bytes.length >= 4 && bitsAllocated > 16) return isSigned ? dataSet.int32(tag) : dataSet.uint32(tag)
  const value = dataSet.byteArrayParser.readUint16(bytes, 0)
  return isSigned && value > 0x7fff ? value - 65_536 : value
}

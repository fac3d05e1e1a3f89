import type { DataSet } from 'dicom-parser'
import type { IntensityWindow } from '../volume/intensity-window.ts'
import { decimalValues, itemsOf, textValue } from './dicom-values.ts'
import { lookUp, readLookupTable, tableTags, type LookupTable } from './lookup-table.ts'

/** The functions of a window (PS3.3 C.11.2.1.2 and C.11.2.1.3). */
export type WindowFunction = 'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID'

/** Which of the modality's values are seen, and how. */
export type VoiTransform =
  | { readonly type: 'window'; readonly window: IntensityWindow; readonly shape: WindowFunction }
  | { readonly type: 'table'; readonly table: LookupTable }

const voiTables = 'x00283010'

/**
 * Reads the first VOI LUT, else the first window; undefined when there is none that can be used.
 *
 * @param attributes where the window stands: the object, or a frame's functional group
 * @param isSigned whether the modality's values may be negative
 * @param warn is told what was not applied
 */
export function voiTransform(
  attributes: DataSet,
  encoding: { readonly isSigned: boolean; readonly isLittleEndian: boolean },
  warn: (warning: string) => void,
): VoiTransform | undefined {
  const [item] = itemsOf(attributes, voiTables)
  if (item) return { type: 'table', table: readLookupTable(item, tableTags, encoding) }
  const [[center], [width]] = [decimalValues(attributes, 'x00281050'), decimalValues(attributes, 'x00281051')]
  if (center === undefined || width === undefined) return undefined
  if (!Number.isFinite(center) || !Number.isFinite(width) || width <= 0) {
    warn('the window is not a centre and a positive width, and was not applied')
    return undefined
  }
  const named = textValue(attributes, 'x00281056') ?? 'LINEAR'
  const shape = windowFunction(named, width)
  if (shape === undefined) {
    warn('the VOI LUT function is unknown, and the window was not applied')
    return undefined
  }
  if (named === 'LINEAR' && shape !== named) warn('a linear window narrower than 1 was applied as LINEAR_EXACT')
  return { type: 'window', window: { center, width }, shape }
}

/** A linear window narrower than 1 has no meaning; writers of fractional values mean the exact one. */
function windowFunction(named: string, width: number): WindowFunction | undefined {
  if (named === 'LINEAR') return width < 1 ? 'LINEAR_EXACT' : 'LINEAR'
  return named === 'LINEAR_EXACT' || named === 'SIGMOID' ? named : undefined
}

/**
 * Gives the shade, 0 to 1, of a value of the modality:
 *
 *     LINEAR        0 up to c - .5 - (w - 1) / 2, 1 beyond c - .5 + (w - 1) / 2, (x - (c - .5)) / (w - 1) + .5 between
 *     LINEAR_EXACT  the same with c and w
 *     SIGMOID       1 / (1 + exp(-4 (x - c) / w))
 */
export function voiShade(transform: VoiTransform): (value: number) => number {
  if (transform.type === 'table') {
    const { table } = transform
    const most = 2 ** table.bits - 1
    return value => lookUp(table, value) / most
  }
  const { shape, window } = transform
  if (shape === 'SIGMOID') return value => 1 / (1 + Math.exp((-4 * (value - window.center)) / window.width))
  const [center, width] = shape === 'LINEAR' ? [window.center - 0.5, window.width - 1] : [window.center, window.width]
  const [low, high] = [center - width / 2, center + width / 2]
  return value => (value <= low ? 0 : value > high ? 1 : (value - center) / width + 0.5)
}

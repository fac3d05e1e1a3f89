import type { DataSet } from 'dicom-parser'
import { elementOf, textValue } from './dicom-values.ts'
import type { PixelLayout } from './pixel-layout.ts'

/** What changes a picture or its meaning, is not applied, and is therefore said. */
const unapplied: readonly {
  readonly tag: string
  readonly warning: string
  readonly isMeant?: (dataSet: DataSet, layout: PixelLayout) => boolean
}[] = [
  { tag: 'x00620002', warning: 'the file is a segmentation: its frames are masks, not pictures' },
  { tag: 'x00409096', warning: 'real world values were not applied' },
  { tag: 'x00181600', warning: 'the display shutter was not applied' },
  { tag: 'x00286100', warning: 'the mask subtraction was not applied' },
  {
    tag: 'x00282000',
    warning: 'the ICC profile was not applied',
    isMeant: (_dataSet, { colour }) => colour.kind !== 'grey',
  },
  {
    tag: 'x00281101',
    warning: 'the supplemental palette was not applied, and its values are shown in grey',
    isMeant: (dataSet, { colour }) =>
      colour.kind === 'grey' && ['COLOR', 'MIXED', 'TRUE_COLOR'].includes(textValue(dataSet, 'x00089205') ?? 'COLOR'),
  },
  { tag: 'x00281204', warning: 'the alpha palette was not applied' },
  {
    tag: 'x00280034',
    warning: 'pixels are not square, and were not resampled',
    isMeant: dataSet => !isSquare(dataSet.string('x00280034')),
  },
]

/** Overlays stand in the even groups from 6000 to 601E. */
const overlayData = /^x60[01][02468ace]3000$/

/** Names what the file holds that was not applied to its pixels. */
export function unappliedAttributes(dataSet: DataSet, layout: PixelLayout): string[] {
  const named = unapplied.filter(
    ({ tag, isMeant }) => elementOf(dataSet, tag) !== undefined && (isMeant?.(dataSet, layout) ?? true),
  )
  const hasOverlay = Object.keys(dataSet.elements).some(tag => overlayData.test(tag))
  return [...named.map(({ warning }) => warning), ...(hasOverlay ? ['an overlay was not drawn'] : [])]
}

function isSquare(ratio: string | undefined): boolean {
  const [height, width] = (ratio ?? '').split('\\').map(Number)
  return height === undefined || width === undefined || height === width || !(height > 0 && width > 0)
}

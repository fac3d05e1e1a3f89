import type { JpegHeader } from '../jpeg/jpeg-header.ts'

/** What the samples of a pixel mean. */
export type ColourKind = 'grey' | 'palette' | 'rgb' | 'ybr' | 'ybr-partial'

/** A photometric interpretation (PS3.3 C.7.6.3.1.2). */
export interface ColourModel {
  readonly kind: ColourKind
  readonly samples: 1 | 3
  /** Whether two pixels share one pair of colour differences where frames are not compressed. */
  readonly isSubsampled?: boolean
  /** Whether low values are bright. */
  readonly isInverted?: boolean
  /** Whether only JPEG 2000 frames can be of this kind; their decoder gives red, green, blue. */
  readonly isOfJpeg2000?: boolean
}

/** The photometric interpretations that are read. */
export const colourModels: ReadonlyMap<string, ColourModel> = new Map<string, ColourModel>([
  ['MONOCHROME1', { kind: 'grey', samples: 1, isInverted: true }],
  ['MONOCHROME2', { kind: 'grey', samples: 1 }],
  ['PALETTE COLOR', { kind: 'palette', samples: 1 }],
  ['RGB', { kind: 'rgb', samples: 3 }],
  ['YBR_FULL', { kind: 'ybr', samples: 3 }],
  ['YBR_FULL_422', { kind: 'ybr', samples: 3, isSubsampled: true }],
  ['YBR_PARTIAL_422', { kind: 'ybr-partial', samples: 3, isSubsampled: true }],
  ['YBR_PARTIAL_420', { kind: 'ybr-partial', samples: 3 }],
  ['YBR_ICT', { kind: 'rgb', samples: 3, isOfJpeg2000: true }],
  ['YBR_RCT', { kind: 'rgb', samples: 3, isOfJpeg2000: true }],
])

const rgbLetters = new Set(['82,71,66', '114,103,98'])

/**
 * Says what the colours of a JPEG stream are by its own segments, which decoders and pydicom trust more than the tags;
 * undefined where only the tags say it.
 */
export function streamColour({ componentIds, hasJfif, adobeTransform }: JpegHeader): 'rgb' | 'ybr' | undefined {
  if (componentIds.length !== 3) return undefined
  if (rgbLetters.has(componentIds.join(','))) return 'rgb'
  if (hasJfif) return 'ybr'
  return adobeTransform === undefined ? undefined : adobeTransform === 0 ? 'rgb' : 'ybr'
}

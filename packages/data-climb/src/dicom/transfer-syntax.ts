/** How the pixels of a transfer syntax are packed. */
export type PixelCodec =
  | 'raw'
  | 'raw-frames'
  | 'deflated-frames'
  | 'rle'
  | 'jpeg'
  | 'jpeg-lossless'
  | 'jpeg-ls'
  | 'jpeg-2000'
  | 'htj2k'

/** What a transfer syntax says about the file. */
export interface TransferSyntax {
  readonly codec: PixelCodec
  readonly isLittleEndian: boolean
  readonly isExplicit: boolean
  /** Whether everything behind the meta header is deflated. */
  readonly isDeflated: boolean
}

const little = (codec: PixelCodec): TransferSyntax => ({
  codec,
  isLittleEndian: true,
  isExplicit: true,
  isDeflated: false,
})

/** Implicit little endian: what a data set without a meta header is in, unless it looks otherwise. */
export const implicitLittleEndian = '1.2.840.10008.1.2'

/** The transfer syntaxes that are read, by UID. */
export const transferSyntaxes: ReadonlyMap<string, TransferSyntax> = new Map([
  [implicitLittleEndian, { ...little('raw'), isExplicit: false }],
  ['1.2.840.10008.1.2.1', little('raw')],
  ['1.2.840.10008.1.2.1.98', little('raw-frames')],
  ['1.2.840.10008.1.2.1.99', { ...little('raw'), isDeflated: true }],
  ['1.2.840.10008.1.2.2', { ...little('raw'), isLittleEndian: false }],
  ['1.2.840.10008.1.2.5', little('rle')],
  ['1.2.840.10008.1.2.8.1', little('deflated-frames')],
  ['1.2.840.10008.1.2.4.50', little('jpeg')],
  ['1.2.840.10008.1.2.4.51', little('jpeg')],
  ['1.2.840.10008.1.2.4.57', little('jpeg-lossless')],
  ['1.2.840.10008.1.2.4.70', little('jpeg-lossless')],
  ['1.2.840.10008.1.2.4.80', little('jpeg-ls')],
  ['1.2.840.10008.1.2.4.81', little('jpeg-ls')],
  ['1.2.840.10008.1.2.4.90', little('jpeg-2000')],
  ['1.2.840.10008.1.2.4.91', little('jpeg-2000')],
  ['1.2.840.10008.1.2.4.201', little('htj2k')],
  ['1.2.840.10008.1.2.4.202', little('htj2k')],
  ['1.2.840.10008.1.2.4.203', little('htj2k')],
])

/** What transfer syntaxes that are read are called (PS3.6 A-1, shortened). */
const names: Readonly<Record<string, string>> = {
  '1.2.840.10008.1.2': 'implicit little endian',
  '1.2.840.10008.1.2.1': 'explicit little endian',
  '1.2.840.10008.1.2.1.98': 'encapsulated uncompressed',
  '1.2.840.10008.1.2.1.99': 'deflated explicit little endian',
  '1.2.840.10008.1.2.2': 'explicit big endian',
  '1.2.840.10008.1.2.5': 'RLE lossless',
  '1.2.840.10008.1.2.8.1': 'deflated frames',
  '1.2.840.10008.1.2.4.50': 'JPEG baseline',
  '1.2.840.10008.1.2.4.51': 'JPEG extended',
  '1.2.840.10008.1.2.4.57': 'JPEG lossless',
  '1.2.840.10008.1.2.4.70': 'JPEG lossless, first-order prediction',
  '1.2.840.10008.1.2.4.80': 'JPEG-LS lossless',
  '1.2.840.10008.1.2.4.81': 'JPEG-LS near-lossless',
  '1.2.840.10008.1.2.4.90': 'JPEG 2000 lossless',
  '1.2.840.10008.1.2.4.91': 'JPEG 2000',
  '1.2.840.10008.1.2.4.201': 'HTJ2K lossless',
  '1.2.840.10008.1.2.4.202': 'HTJ2K lossless with RPCL options',
  '1.2.840.10008.1.2.4.203': 'HTJ2K',
}

/** The name of a transfer syntax that is read. */
export function syntaxName(uid: string): string {
  return (Object.hasOwn(names, uid) ? names[uid] : undefined) ?? describeSyntax(uid)
}

/** Names of transfer syntaxes that are not read (PS3.6 A-1), so that a refusal says what the file holds. */
const unread: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^1\.2\.840\.10008\.1\.2\.4\.10[01](\.1)?$/, 'MPEG-2 video'],
  [/^1\.2\.840\.10008\.1\.2\.4\.10[2-6](\.1)?$/, 'MPEG-4 AVC (H.264) video'],
  [/^1\.2\.840\.10008\.1\.2\.4\.10[78]$/, 'HEVC (H.265) video'],
  [/^1\.2\.840\.10008\.1\.2\.7\.[1-3]$/, 'an SMPTE ST 2110 stream'],
  [/^1\.2\.840\.10008\.1\.2\.4\.11[0-2]$/, 'JPEG XL frames'],
  [/^1\.2\.840\.10008\.1\.2\.4\.9[23]$/, 'JPEG 2000 part 2 frames of several components'],
  [/^1\.2\.840\.10008\.1\.2\.4\.(9[45]|20[45])$/, 'a JPIP address instead of pixels'],
  [/^1\.2\.840\.10008\.1\.2\.4\.(5[2-689]|6[0-6])$/, 'a retired JPEG process'],
  [/^1\.2\.840\.10008\.1\.2\.6\.[12]$/, 'text (MIME or XML)'],
]

/** Says what a transfer syntax that is not read holds. */
export function describeSyntax(uid: string): string {
  const known = unread.find(([pattern]) => pattern.test(uid))
  // A UID holds digits and points; whatever else a file writes there is not repeated.
  const shown = /^[\d.]{1,64}$/.test(uid) ? uid : 'that is none'
  return known ? `${known[1]} (transfer syntax ${shown})` : `the transfer syntax ${shown}`
}

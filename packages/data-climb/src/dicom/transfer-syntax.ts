/** How the pixels of a transfer syntax are packed. */
export type PixelCodec = 'raw' | 'rle' | 'jpeg' | 'jpeg-lossless' | 'jpeg-ls' | 'jpeg-2000'

/** What a transfer syntax says about the file. */
export interface TransferSyntax {
  readonly codec: PixelCodec
  readonly isLittleEndian: boolean
}

const little = (codec: PixelCodec): TransferSyntax => ({ codec, isLittleEndian: true })

/** The transfer syntaxes that are read, by UID. */
export const transferSyntaxes: Readonly<Record<string, TransferSyntax>> = {
  '1.2.840.10008.1.2': little('raw'),
  '1.2.840.10008.1.2.1': little('raw'),
  '1.2.840.10008.1.2.1.99': little('raw'),
  '1.2.840.10008.1.2.2': { codec: 'raw', isLittleEndian: false },
  '1.2.840.10008.1.2.5': little('rle'),
  '1.2.840.10008.1.2.4.50': little('jpeg'),
  '1.2.840.10008.1.2.4.51': little('jpeg'),
  '1.2.840.10008.1.2.4.57': little('jpeg-lossless'),
  '1.2.840.10008.1.2.4.70': little('jpeg-lossless'),
  '1.2.840.10008.1.2.4.80': little('jpeg-ls'),
  '1.2.840.10008.1.2.4.81': little('jpeg-ls'),
  '1.2.840.10008.1.2.4.90': little('jpeg-2000'),
  '1.2.840.10008.1.2.4.91': little('jpeg-2000'),
}

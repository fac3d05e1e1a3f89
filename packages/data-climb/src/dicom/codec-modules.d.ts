/** The WebAssembly decoders of cornerstone, which ship without types. */
interface CornerstoneDecoder {
  getEncodedBuffer(length: number): Uint8Array
  getDecodedBuffer(): Uint8Array
  getFrameInfo(): { width: number; height: number; bitsPerSample: number; componentCount: number; isSigned?: boolean }
  readHeader(): void
  decode(): void
  delete(): void
}

declare module '@cornerstonejs/codec-charls/decodewasmjs' {
  export default function create(
    options?: object,
  ): Promise<{ JpegLSDecoder: new () => CornerstoneDecoder & { getInterleaveMode(): number } }>
}

declare module '@cornerstonejs/codec-openjpeg/decodewasmjs' {
  export default function create(options?: object): Promise<{ J2KDecoder: new () => CornerstoneDecoder }>
}

declare module '@cornerstonejs/codec-openjph/wasmjs' {
  export default function create(options?: object): Promise<{ HTJ2KDecoder: new () => CornerstoneDecoder }>
}

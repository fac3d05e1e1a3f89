import { dataErrors } from '../errors.ts'
import { huffmanTable, type HuffmanTable } from './entropy-reader.ts'

/** A component of a frame. */
interface JpegComponent {
  readonly id: number
  readonly horizontal: number
  readonly vertical: number
  readonly quantisation: number
}

/** The frame header of a JPEG stream. */
export interface JpegFrame {
  /** Start-of-frame type: 0 baseline, 1 extended, 2 progressive, 3 lossless. */
  readonly type: number
  readonly precision: number
  readonly width: number
  readonly height: number
  readonly components: readonly JpegComponent[]
}

/** One scan: its components with their tables, and where its data start. */
export interface JpegScan {
  readonly frame: JpegFrame
  readonly components: readonly {
    readonly index: number
    readonly dc: HuffmanTable | undefined
    readonly ac: HuffmanTable | undefined
  }[]
  /** Predictor of a lossless scan, first coefficient of another. */
  readonly selection: number
  /** Last coefficient of a scan that is not lossless. */
  readonly selectionEnd: number
  readonly pointTransform: number
  readonly restartInterval: number
  readonly quantisation: ReadonlyMap<number, Uint16Array>
  readonly dataStart: number
}

const endOfImage = 0xd9
const startOfScan = 0xda

/**
 * Walks through the segments of a JPEG stream and calls `decodeScan` for each scan.
 *
 * @param decodeScan decodes the scan and returns the position after its data
 * @throws DATA_DICOM_INVALID when segments are missing or malformed
 */
export function walkJpeg(bytes: Uint8Array, decodeScan: (scan: JpegScan) => number): void {
  const tables = new Map<number, HuffmanTable>()
  const quantisation = new Map<number, Uint16Array>()
  let frame: JpegFrame | undefined
  let restartInterval = 0
  let at = 2
  for (;;) {
    while (at < bytes.length && !(bytes[at] === 0xff && (bytes[at + 1] ?? 0xff) !== 0xff && bytes[at + 1] !== 0)) at++
    const marker = bytes[at + 1]
    if (marker === undefined || marker === endOfImage) return
    if (marker >= 0xd0 && marker <= 0xd8) {
      at += 2
      continue
    }
    const length = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)
    const body = bytes.subarray(at + 4, at + 2 + length)
    if (length < 2 || body.length < length - 2) throw invalid('a JPEG segment runs past the end')
    at += 2 + length
    if (marker === 0xc4) readTables(body, tables)
    else if (marker === 0xdb) readQuantisation(body, quantisation)
    else if (marker === 0xdd) restartInterval = ((body[0] ?? 0) << 8) | (body[1] ?? 0)
    else if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc8 && marker !== 0xcc)
      frame = readFrame(marker - 0xc0, body)
    else if (marker === startOfScan) {
      if (!frame) throw invalid('a JPEG scan comes before its frame')
      at = decodeScan({ ...readScan(body, frame, tables), restartInterval, quantisation, dataStart: at })
    }
  }
}

function readTables(body: Uint8Array, tables: Map<number, HuffmanTable>): void {
  for (let at = 0; at + 17 <= body.length;) {
    const counts = body.subarray(at + 1, at + 17)
    const total = counts.reduce((sum, count) => sum + count, 0)
    if (at + 17 + total > body.length) throw invalid('a JPEG Huffman table is truncated')
    tables.set(body[at]!, huffmanTable(counts, body.subarray(at + 17, at + 17 + total))) // inside by the loop's condition
    at += 17 + total
  }
}

function readQuantisation(body: Uint8Array, tables: Map<number, Uint16Array>): void {
  for (let at = 0; at < body.length;) {
    const info = body[at]! // inside by the loop's condition
    const width = info >> 4 === 0 ? 1 : 2
    if (at + 1 + 64 * width > body.length) throw invalid('a JPEG quantisation table is truncated')
    const entry = (i: number) =>
      width === 1 ? body[at + 1 + i]! : (body[at + 1 + 2 * i]! << 8) | body[at + 2 + 2 * i]! // inside by the check above
    tables.set(
      info & 15,
      Uint16Array.from({ length: 64 }, (_, i) => entry(i)),
    )
    at += 1 + 64 * width
  }
}

function readFrame(type: number, body: Uint8Array): JpegFrame {
  const [precision = 0, h1 = 0, h0 = 0, w1 = 0, w0 = 0, count = 0] = body
  const [height, width] = [(h1 << 8) | h0, (w1 << 8) | w0]
  if (width === 0 || height === 0 || count === 0 || body.length < 6 + 3 * count)
    throw invalid('a JPEG frame header is malformed')
  const components = Array.from({ length: count }, (_, i) => {
    const [id = 0, sampling = 0, quantisation = 0] = body.subarray(6 + 3 * i, 9 + 3 * i)
    return { id, horizontal: sampling >> 4, vertical: sampling & 15, quantisation }
  })
  return { type, precision, width, height, components }
}

function readScan(
  body: Uint8Array,
  frame: JpegFrame,
  tables: ReadonlyMap<number, HuffmanTable>,
): Pick<JpegScan, 'frame' | 'components' | 'selection' | 'selectionEnd' | 'pointTransform'> {
  const count = body[0] ?? 0
  if (count === 0 || body.length < 4 + 2 * count) throw invalid('a JPEG scan header is malformed')
  const components = Array.from({ length: count }, (_, i) => {
    const [id = 0, table = 0] = body.subarray(1 + 2 * i, 3 + 2 * i)
    const index = frame.components.findIndex(component => component.id === id)
    if (index < 0) throw invalid('a JPEG scan names an unknown component')
    return { index, dc: tables.get(table >> 4), ac: tables.get(0x10 | (table & 15)) }
  })
  return {
    frame,
    components,
    selection: body[1 + 2 * count] ?? 0,
    selectionEnd: body[2 + 2 * count] ?? 0,
    pointTransform: (body[3 + 2 * count] ?? 0) & 15,
  }
}

function invalid(problem: string): Error {
  return dataErrors.DICOM_INVALID({ problem })
}

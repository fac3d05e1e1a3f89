import { dataErrors } from '../errors.ts'
import { EntropyReader, type HuffmanTable } from './entropy-reader.ts'
import type { JpegScan } from './jpeg-stream.ts'

/** Predicts a sample from those left (a), above (b) and above left (c), by predictors 1 to 7 (T.81 table H.1). */
function predicted(selection: number, a: number, b: number, c: number): number {
  switch (selection) {
    case 1:
      return a
    case 2:
      return b
    case 3:
      return c
    case 4:
      return a + b - c
    case 5:
      return a + ((b - c) >> 1)
    case 6:
      return b + ((a - c) >> 1)
    default:
      return (a + b) >> 1
  }
}

const maxPredictor = 7

/** Decodes a lossless scan into interleaved samples; returns the position after its data. */
export function decodeLosslessScan(bytes: Uint8Array, scan: JpegScan, out: Uint16Array): number {
  const { frame, selection, pointTransform, restartInterval } = scan
  const tables = scan.components.flatMap(({ dc }) => dc ?? [])
  if (selection < 1 || selection > maxPredictor || tables.length < scan.components.length)
    throw dataErrors.DICOM_INVALID({ problem: 'a lossless JPEG scan lacks its predictor or table' })
  const reader = new EntropyReader(bytes, scan.dataStart)
  const lines = { tables, indexes: scan.components.map(({ index }) => index), step: frame.components.length }
  const start = 2 ** (frame.precision - pointTransform - 1)
  let [firstRow, untilRestart] = [0, restartInterval]
  for (let y = 0; y < frame.height; y++)
    for (let x = 0; x < frame.width;) {
      const isFresh = (x === 0 && y === 0) || (restartInterval > 0 && untilRestart === 0)
      if (isFresh && (x > 0 || y > 0)) {
        reader.restart()
        firstRow = y
      }
      if (isFresh) untilRestart = restartInterval
      const end = restartInterval > 0 ? Math.min(frame.width, x + untilRestart) : frame.width
      decodeRun(reader, out, {
        ...lines,
        x,
        end,
        y,
        width: frame.width,
        selection,
        hasAbove: y > firstRow,
        start,
        isFresh,
      })
      untilRestart -= end - x
      x = end
    }
  if (pointTransform > 0)
    for (const { index } of scan.components)
      for (let i = index; i < out.length; i += lines.step) out[i]! <<= pointTransform
  return reader.position
}

/** A part of a row between restarts. */
interface Run {
  readonly tables: readonly HuffmanTable[]
  readonly indexes: readonly number[]
  readonly step: number
  readonly x: number
  readonly end: number
  readonly y: number
  readonly width: number
  readonly selection: number
  /** Whether the row above belongs to the same restart interval. */
  readonly hasAbove: boolean
  /** Predicts the very first sample. */
  readonly start: number
  readonly isFresh: boolean
}

function decodeRun(reader: EntropyReader, out: Uint16Array, run: Run): void {
  const { tables, indexes, step, y, width, selection, hasAbove } = run
  const rowLength = width * step
  for (let x = run.x; x < run.end; x++)
    for (let k = 0; k < indexes.length; k++) {
      const at = (y * width + x) * step + indexes[k]! // one per component, as the tables
      const size = reader.decode(tables[k]!)
      const difference = size === 16 ? 32_768 : reader.receiveExtend(size)
      let prediction: number
      if (run.isFresh && x === run.x) prediction = run.start
      else if (!hasAbove) prediction = out[at - step]! // inside: left of the sample, as the next ones
      else if (x === 0) prediction = out[at - rowLength]!
      else prediction = predicted(selection, out[at - step]!, out[at - rowLength]!, out[at - rowLength - step]!)
      out[at] = prediction + difference
    }
}

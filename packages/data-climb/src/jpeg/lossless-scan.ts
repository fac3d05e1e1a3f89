import { dataErrors } from '../errors.ts'
import { EntropyReader, type HuffmanTable } from './entropy-reader.ts'
import type { JpegScan } from './jpeg-stream.ts'

/** Predictors 1 to 7 of lossless JPEG from the samples left (a), above (b) and above left (c) (T.81 table H.1). */
const predictors: readonly ((a: number, b: number, c: number) => number)[] = [
  () => 0,
  a => a,
  (_a, b) => b,
  (_a, _b, c) => c,
  (a, b, c) => a + b - c,
  (a, b, c) => a + ((b - c) >> 1),
  (a, b, c) => b + ((a - c) >> 1),
  (a, b) => (a + b) >> 1,
]

/** Decodes a lossless scan into interleaved samples; returns the position after its data. */
export function decodeLosslessScan(bytes: Uint8Array, scan: JpegScan, out: Uint16Array): number {
  const { frame, selection, pointTransform, restartInterval } = scan
  const predict = predictors[selection]
  const tables = scan.components.map(({ dc }) => dc)
  if (!predict || selection === 0 || tables.includes(undefined))
    throw dataErrors.DICOM_INVALID({ problem: 'a lossless JPEG scan lacks its predictor or table' })
  const reader = new EntropyReader(bytes, scan.dataStart)
  const step = frame.components.length
  const start = 2 ** (frame.precision - pointTransform - 1)
  const rowLength = frame.width * step
  let firstRow = 0
  for (let y = 0, pixel = 0; y < frame.height; y++)
    for (let x = 0; x < frame.width; x++, pixel++) {
      const isRestart = restartInterval > 0 && pixel > 0 && pixel % restartInterval === 0
      if (isRestart) {
        reader.restart()
        firstRow = y
      }
      for (const [i, { index }] of scan.components.entries()) {
        const at = pixel * step + index
        const size = reader.decode(tables[i] as HuffmanTable) // none is undefined, as checked above
        const difference = size === 16 ? 32768 : reader.receiveExtend(size)
        const a = x > 0 ? out[at - step]! : 0 // inside: left of the sample
        const b = y > firstRow ? out[at - rowLength]! : 0 // inside: above the sample
        const isFirst = isRestart || pixel === 0
        const prediction = isFirst
          ? start
          : y === firstRow
            ? a
            : x === 0
              ? b
              : predict(a, b, out[at - rowLength - step]!)
        out[at] = prediction + difference
      }
    }
  if (pointTransform > 0)
    for (const { index } of scan.components) for (let i = index; i < out.length; i += step) out[i]! <<= pointTransform
  return reader.position
}

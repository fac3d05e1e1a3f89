import type { BitReader } from './bit-reader.ts'
import { wfdbErrors } from './errors.ts'

/** Coefficients of the fixed predictors of order 0 to 4, newest sample first. */
const fixedPredictors: readonly (readonly number[])[] = [[], [1], [2, -1], [3, -3, 1], [4, -6, 4, -1]]

/** Decodes one subframe of `blockSize` samples: constant, verbatim, fixed or linear prediction. */
export function decodeSubframe(reader: BitReader, blockSize: number, frameBits: number): Int32Array {
  if (reader.read(1) !== 0) throw wfdbErrors.BAD_FLAC({ problem: 'a subframe starts with a one bit' })
  const type = reader.read(6)
  const wasted = reader.read(1) === 1 ? reader.readUnary() + 1 : 0
  const bits = frameBits - wasted
  if (bits < 1) throw wfdbErrors.BAD_FLAC({ problem: 'a subframe has no bits left' })
  const samples = new Int32Array(blockSize)
  if (type === 0) samples.fill(reader.readSigned(bits))
  else if (type === 1) for (let i = 0; i < blockSize; i++) samples[i] = reader.readSigned(bits)
  else if (type >= 8 && type <= 12) predict(reader, samples, { bits, order: type - 8, isLinear: false })
  else if (type >= 32) predict(reader, samples, { bits, order: type - 31, isLinear: true })
  else throw wfdbErrors.BAD_FLAC({ problem: `subframe type ${type} is reserved` })
  if (wasted > 0) for (let i = 0; i < blockSize; i++) samples[i]! <<= wasted
  return samples
}

function predict(
  reader: BitReader,
  samples: Int32Array,
  plan: { bits: number; order: number; isLinear: boolean },
): void {
  const { order } = plan
  if (order > samples.length) throw wfdbErrors.BAD_FLAC({ problem: 'a predictor is longer than its block' })
  for (let i = 0; i < order; i++) samples[i] = reader.readSigned(plan.bits)
  let coefficients = fixedPredictors[order] ?? []
  let shift = 0
  if (plan.isLinear) {
    const precision = reader.read(4) + 1
    shift = reader.readSigned(5)
    if (precision === 16 || shift < 0) throw wfdbErrors.BAD_FLAC({ problem: 'a predictor has an invalid precision' })
    coefficients = Array.from({ length: order }, () => reader.readSigned(precision))
  }
  readResidual(reader, samples, order)
  const scale = 2 ** shift
  for (let i = order; i < samples.length; i++) {
    let sum = 0
    for (let k = 0; k < order; k++) sum += coefficients[k]! * samples[i - 1 - k]! // both bounded by the order
    samples[i] = samples[i]! + Math.floor(sum / scale)
  }
}

/** Reads the Rice-coded residual into `samples` from `order` on. */
function readResidual(reader: BitReader, samples: Int32Array, order: number): void {
  const method = reader.read(2)
  if (method > 1) throw wfdbErrors.BAD_FLAC({ problem: 'the residual coding is reserved' })
  const parameterBits = method === 0 ? 4 : 5
  const partitions = 2 ** reader.read(4)
  const size = samples.length / partitions
  if (!Number.isInteger(size) || size < order)
    throw wfdbErrors.BAD_FLAC({ problem: 'the residual partitions do not fit the block' })
  for (let partition = 0, i = order; partition < partitions; partition++) {
    const end = (partition + 1) * size
    const parameter = reader.read(parameterBits)
    const isEscaped = parameter === 2 ** parameterBits - 1
    const rawBits = isEscaped ? reader.read(5) : 0
    for (; i < end; i++) samples[i] = isEscaped ? reader.readSigned(rawBits) : readRice(reader, parameter)
  }
}

function readRice(reader: BitReader, parameter: number): number {
  const value = reader.readUnary() * 2 ** parameter + reader.read(parameter)
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2
}

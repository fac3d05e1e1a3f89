import type { Layers, LinearOptions } from '@qoq-med/encoders'
import type { Graph, Ops, Tensor } from '@qoq-med/tensor'
import { storedBlockSize } from './block-size.ts'
import { entryKey, type PackedLayout, type PackedPlace } from './packed-layout.ts'
import { bytesOfRows, parameterRows, someRows, type ParameterRows } from './parameter-rows.ts'

/** Rows of a matrix that the runtime multiplies at a time; parts of it have whole numbers of them, but for the last. */
const rowStep = 64

/** How packed layers multiply. */
export interface PackedLayersOptions {
  /** Keeps activations in float32, instead of eight bits: as exact as the weights are, and about half as fast. Default false. */
  readonly isExact?: boolean
  /**
   * Weights of a matrix that are laid out at a time, about: its file stays mapped until the runtime has its own layout of all of it, so that a
   * vocabulary head of 545 million would stand in memory twice. Default 2 ** 27.
   */
  readonly weightsAtOnce?: number
}

/**
 * Layers whose weights lie in a file beside the graph: rounded matrices are multiplied as they are, never widened as a whole.
 *
 * @param location name of the file
 */
export function packedLayers(
  graph: Graph,
  ops: Ops<Tensor>,
  layout: PackedLayout,
  location: string,
  { isExact = false, weightsAtOnce = 2 ** 27 }: PackedLayersOptions = {},
): Layers<Tensor> {
  const { entries } = layout
  const parameters = parameterRows([{ layout, location }])
  const joinedKey = (names: readonly string[]): boolean => entries.has(entryKey(names))
  /** Parameters that are one value, or one of them alone. */
  const rowsOf = (names: readonly string[]): ParameterRows => {
    const entry = entries.get(entryKey(names))
    return entry ? { entry, location, start: 0, count: entry.shape[0] ?? 1 } : parameters.get(names[0]!)! // the layout has every parameter of the model
  }
  const external = (
    place: PackedPlace,
    rows: ParameterRows,
    inner: readonly number[],
    dtype: 'uint8' | 'float32',
  ): Tensor => graph.external({ location, ...bytesOfRows(place, rows) }, { shape: [rows.count, ...inner], dtype })
  const plain = (names: readonly string[]): Tensor => {
    const rows = rowsOf(names)
    const { values, shape } = rows.entry
    return external(values, rows, shape.slice(1), 'float32')
  }
  let summed: { readonly x: Tensor; readonly sums: Tensor } | undefined
  /** What is added to the weights of each block, times the sum of its inputs, of which several layers read the same. */
  const corrected = (x: Tensor, corrections: Tensor): Tensor => {
    if (summed?.x !== x) {
      const blocks = ops.shape(corrections)[1]!
      const exact = (): Tensor => ops.sum(ops.reshape(x, [ops.shape(x)[0]!, blocks, storedBlockSize]), { axis: 2 })
      summed = { x, sums: isExact ? exact() : ops.roundedBlockSums(x) }
    }
    return ops.linear(summed.sums, corrections)
  }
  /** The product with some rows of a matrix. */
  const productOf = (x: Tensor, rows: ParameterRows, bias: Tensor | undefined): Tensor => {
    const { kind, blockSize, values, scales, corrections, shape } = rows.entry
    const inner = shape[1]! // of a matrix
    if (kind === 'bfloat16') {
      const where = { location, ...bytesOfRows(values, rows) }
      const matrix = graph.external(where, { shape: [rows.count, inner], dtype: kind }, false)
      return ops.storedLinear(x, { values: matrix, inner }, bias)
    }
    if (scales === undefined) return ops.linear(x, external(values, rows, [inner], 'float32'), bias)
    const bits = kind === 'int4' ? 4 : 8
    const blocks = Math.ceil(inner / blockSize)
    const lead = ops.shape(x).slice(0, -1)
    const flat = lead.length === 1 ? x : ops.reshape(x, [sizeOfLead(lead), inner])
    const rounded = ops.quantizedLinear(flat, {
      packed: external(values, rows, [blocks, (blockSize * bits) / 8], 'uint8'),
      scales: external(scales, rows, [blocks], 'float32'),
      bias,
      bits,
      isExact,
    })
    const y = corrections
      ? ops.add(rounded, corrected(flat, external(corrections, rows, [blocks], 'float32')))
      : rounded
    return lead.length === 1 ? y : ops.reshape(y, [...lead, rows.count])
  }
  const product = (x: Tensor, names: readonly string[], hasBias: boolean): Tensor => {
    const part = (kind: string): string[] => names.map(name => `${name}.${kind}`)
    const rows = rowsOf(part('weight'))
    if (hasBias) return productOf(x, rows, plain(part('bias')))
    const parts = partsOfRows(rows, weightsAtOnce).map(each => productOf(x, each, undefined))
    return parts.length === 1 ? parts[0]! : ops.concat(parts, -1)
  }
  const whole = new Map<string, { readonly x: Tensor; readonly y: Tensor }>()
  /** The product of all rows, of which each asker takes its own. */
  const shared = (x: Tensor, name: string, hasBias: boolean): Tensor => {
    const known = whole.get(name)
    if (known?.x === x) return known.y
    const y = product(x, [name], hasBias)
    whole.set(name, { x, y })
    return y
  }
  return {
    weight: name => plain([name]),
    linear: (x, name, { hasBias = false, rows }: LinearOptions = {}) =>
      rows ? ops.slice(shared(x, name, hasBias), -1, ...rows) : product(x, [name], hasBias),
    // Layers that are kept otherwise than each other are not one product.
    fused: (x, names, { hasBias = false } = {}) =>
      joinedKey(names.map(name => `${name}.weight`))
        ? product(x, names, hasBias)
        : ops.concat(
            names.map(name => product(x, [name], hasBias)),
            -1,
          ),
  }
}

/** Rows of a matrix in parts of about so many weights, as alike as whole steps of the runtime's product allow. */
function partsOfRows(rows: ParameterRows, weightsAtOnce: number): ParameterRows[] {
  const count = Math.ceil((rows.count * rows.entry.shape[1]!) / weightsAtOnce) // of a matrix
  const most = rowStep * Math.ceil(rows.count / count / rowStep)
  return Array.from({ length: Math.ceil(rows.count / most) }, (_, at) =>
    someRows(rows, [at * most, Math.min(rows.count, (at + 1) * most)]),
  )
}

function sizeOfLead(lead: readonly number[]): number {
  return lead.reduce((size, length) => size * length, 1)
}

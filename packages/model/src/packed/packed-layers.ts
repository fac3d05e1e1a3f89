import type { Layers, LinearOptions } from '@qoq-med/encoders'
import type { Graph, Ops, Tensor } from '@qoq-med/tensor'
import { blockSize, entryKey, type PackedEntry, type PackedLayout, type PackedPlace } from './packed-layout.ts'

/**
 * Layers whose weights lie in a file beside the graph: rounded matrices are multiplied as they are, never widened as a whole.
 *
 * @param location name of the file
 */
export function packedLayers(
  graph: Graph,
  ops: Ops<Tensor>,
  { entries }: PackedLayout,
  location: string,
): Layers<Tensor> {
  const external = (place: PackedPlace, shape: readonly number[], dtype: 'uint8' | 'float32'): Tensor =>
    graph.external({ location, ...place }, { shape, dtype })
  const joinedKey = (names: readonly string[]): boolean => entries.has(entryKey(names))
  const entryOf = (names: readonly string[]): PackedEntry => entries.get(entryKey(names))! // the layout has every parameter of the model
  const plain = (names: readonly string[]): Tensor => {
    const { values, shape } = entryOf(names)
    return external(values, shape, 'float32')
  }
  /** What is added to the weights of each block, times the sum of its inputs. */
  const corrected = (x: Tensor, corrections: Tensor): Tensor => {
    const blocks = ops.shape(corrections)[1]!
    const sums = ops.sum(ops.reshape(x, [ops.shape(x)[0]!, blocks, blockSize]), { axis: 2 })
    return ops.linear(sums, corrections)
  }
  const product = (x: Tensor, names: readonly string[], hasBias: boolean): Tensor => {
    const part = (kind: string): string[] => names.map(name => `${name}.${kind}`)
    const bias = hasBias ? plain(part('bias')) : undefined
    const { kind, shape, values, scales, corrections } = entryOf(part('weight'))
    const [outer, inner] = shape as readonly [number, number] // of a matrix
    if (kind === 'bfloat16') {
      const matrix = graph.external({ location, ...values }, { shape, dtype: kind }, false)
      return ops.storedLinear(x, { values: matrix, inner }, bias)
    }
    if (scales === undefined) return ops.linear(x, external(values, shape, 'float32'), bias)
    const bits = kind === 'int4' ? 4 : 8
    const blocks = Math.ceil(inner / blockSize)
    const lead = ops.shape(x).slice(0, -1)
    const flat = lead.length === 1 ? x : ops.reshape(x, [rowsOf(lead), inner])
    const rounded = ops.quantizedLinear(flat, {
      packed: external(values, [outer, blocks, 4 * bits], 'uint8'),
      scales: external(scales, [outer, blocks], 'float32'),
      bias,
      bits,
    })
    const y = corrections
      ? ops.add(rounded, corrected(flat, external(corrections, [outer, blocks], 'float32')))
      : rounded
    return lead.length === 1 ? y : ops.reshape(y, [...lead, outer])
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

function rowsOf(lead: readonly number[]): number {
  return lead.reduce((size, length) => size * length, 1)
}

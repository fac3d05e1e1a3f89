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
  const entryOf = (names: readonly string[]): PackedEntry => entries.get(entryKey(names))! // the layout has every parameter of the model
  const plain = (names: readonly string[]): Tensor => {
    const { values, shape } = entryOf(names)
    return external(values, shape, 'float32')
  }
  const product = (x: Tensor, names: readonly string[], hasBias: boolean): Tensor => {
    const part = (kind: string): string[] => names.map(name => `${name}.${kind}`)
    const bias = hasBias ? plain(part('bias')) : undefined
    const { kind, shape, values, scales } = entryOf(part('weight'))
    const [outer, inner] = shape as readonly [number, number] // of a matrix
    if (scales === undefined) return ops.linear(x, external(values, shape, 'float32'), bias)
    const bits = kind === 'int4' ? 4 : 8
    const blocks = Math.ceil(inner / blockSize)
    const lead = ops.shape(x).slice(0, -1)
    const y = ops.quantizedLinear(lead.length === 1 ? x : ops.reshape(x, [rowsOf(lead), inner]), {
      packed: external(values, [outer, blocks, 4 * bits], 'uint8'),
      scales: external(scales, [outer, blocks], 'float32'),
      bias,
      bits,
    })
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
    fused: (x, names, { hasBias = false } = {}) => product(x, names, hasBias),
  }
}

function rowsOf(lead: readonly number[]): number {
  return lead.reduce((size, length) => size * length, 1)
}

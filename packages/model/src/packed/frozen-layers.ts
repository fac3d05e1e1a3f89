import type { Layers, LinearOptions } from '@qoq-med/encoders'
import type { Graph, Ops, StoredMatrix, Tensor } from '@qoq-med/tensor'
import { blockSize, isCoded, type PackedEntry, type PackedLayout, type PackedPlace } from './packed-layout.ts'

/** A layout and the name of its file. */
export interface PlacedLayout {
  readonly layout: PackedLayout
  readonly location: string
}

/** Some rows of a parameter, in the entry of the file that holds it. */
interface Rows {
  readonly entry: PackedEntry
  readonly location: string
  /** The first among the rows of the entry. */
  readonly start: number
  readonly count: number
}

/**
 * Layers of a frozen model whose weights lie in files beside the graph, for passes that are differentiated: a matrix is widened while
 * it is multiplied, forward and backward, and nothing of it is kept. No gradient flows to a weight.
 *
 * @param layouts of the files, whose matrices have no corrections
 */
export function frozenLayers(graph: Graph, ops: Ops<Tensor>, layouts: readonly PlacedLayout[]): Layers<Tensor> {
  const parameters = rowsByName(layouts)
  const known = new Map<string, Tensor>()
  const external = (place: PackedPlace, location: string, shape: readonly number[], dtype: Tensor['dtype']): Tensor => {
    const key = `${location}|${place.offsetBytes}|${shape.join()}`
    const tensor = known.get(key) ?? graph.external({ location, ...place }, { shape, dtype }, false)
    known.set(key, tensor)
    return tensor
  }
  const rowsOf = (name: string, [from, to]: readonly [number, number] = [0, Infinity]): Rows => {
    const { entry, location, start, count } = parameters.get(name)! // the layouts have every parameter of the model
    return { entry, location, start: start + from, count: Math.min(to, count) - from }
  }
  const plain = ({ entry, location, start, count }: Rows): Tensor => {
    const shape = [count, ...entry.shape.slice(1)]
    return external(part(entry.values, entry, start, count), location, shape, 'float32')
  }
  const matrix = (rows: Rows): StoredMatrix<Tensor> => {
    const { entry, location, start, count } = rows
    const { kind, values, scales, shape } = entry
    const inner = shape[1]! // of a matrix
    if (!isCoded(kind)) {
      return { inner, values: external(part(values, entry, start, count), location, [count, inner], kind) }
    }
    const blocks = Math.ceil(inner / blockSize)
    const dtype = kind === 'int4' ? 'uint4' : 'uint8'
    const codes = external(part(values, entry, start, count), location, [count, blocks * blockSize], dtype)
    return {
      inner,
      values: codes,
      scales: external(part(scales!, entry, start, count), location, [count, blocks], 'float32'), // codes have scales
    }
  }
  return {
    weight: name => {
      const rows = rowsOf(name)
      return rows.entry.kind === 'float32' ? plain(rows) : ops.widen(matrix(rows))
    },
    linear: (x, name, { hasBias = false, rows }: LinearOptions = {}) =>
      ops.storedLinear(
        x,
        matrix(rowsOf(`${name}.weight`, rows)),
        hasBias ? plain(rowsOf(`${name}.bias`, rows)) : undefined,
      ),
  }
}

/** Every parameter, also those that are one value with others. */
function rowsByName(layouts: readonly PlacedLayout[]): Map<string, Rows> {
  const found = new Map<string, Rows>()
  for (const { layout, location } of layouts) {
    for (const entry of layout.entries.values()) {
      let start = 0
      entry.names.forEach((name, i) => {
        const count = entry.rowCounts[i]! // one per name
        found.set(name, { entry, location, start, count })
        start += count
      })
    }
  }
  return found
}

/** The bytes of some rows of an entry. */
function part(
  { offsetBytes, lengthBytes }: PackedPlace,
  { shape }: PackedEntry,
  start: number,
  count: number,
): PackedPlace {
  const rowBytes = lengthBytes / (shape[0] ?? 1)
  return { offsetBytes: offsetBytes + start * rowBytes, lengthBytes: count * rowBytes }
}

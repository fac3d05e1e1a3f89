import type { Layers, LinearOptions } from '@qoq-med/encoders'
import type { Graph, Ops, StoredMatrix, Tensor } from '@qoq-med/tensor'
import { isCoded, type PackedPlace } from './packed-layout.ts'
import { bytesOfRows, parameterRows, someRows, type ParameterRows, type PlacedLayout } from './parameter-rows.ts'

/**
 * Layers of a frozen model whose weights lie in files beside the graph, for passes that are differentiated: a matrix is widened while
 * it is multiplied, forward and backward, and nothing of it is kept. No gradient flows to a weight.
 *
 * @param layouts of the files, whose matrices have no corrections
 */
export function frozenLayers(graph: Graph, ops: Ops<Tensor>, layouts: readonly PlacedLayout[]): Layers<Tensor> {
  const parameters = parameterRows(layouts)
  const known = new Map<string, Tensor>()
  const external = (
    place: PackedPlace,
    rows: ParameterRows,
    shape: readonly number[],
    dtype: Tensor['dtype'],
  ): Tensor => {
    const where = { location: rows.location, ...bytesOfRows(place, rows) }
    const key = `${where.location}|${where.offsetBytes}|${shape.join()}`
    const tensor = known.get(key) ?? graph.external(where, { shape, dtype }, false)
    known.set(key, tensor)
    return tensor
  }
  const rowsOf = (name: string): ParameterRows => parameters.get(name)! // the layouts have every parameter of the model
  const plain = (rows: ParameterRows): Tensor =>
    external(rows.entry.values, rows, [rows.count, ...rows.entry.shape.slice(1)], 'float32')
  const matrix = (rows: ParameterRows): StoredMatrix<Tensor> => {
    const { entry, count } = rows
    const { kind, blockSize, values, scales } = entry
    const inner = entry.shape[1]! // of a matrix
    if (!isCoded(kind)) return { inner, values: external(values, rows, [count, inner], kind) }
    const blocks = Math.ceil(inner / blockSize)
    const dtype = kind === 'int4' ? 'uint4' : 'uint8'
    return {
      inner,
      values: external(values, rows, [count, blocks * blockSize], dtype),
      scales: external(scales!, rows, [count, blocks], 'float32'), // codes have scales
    }
  }
  return {
    weight: name => {
      const rows = rowsOf(name)
      return rows.entry.kind === 'float32' ? plain(rows) : ops.widen(matrix(rows))
    },
    linear: (x, name, { hasBias = false, rows }: LinearOptions = {}) => {
      const wanted = (kind: string): ParameterRows => {
        const all = rowsOf(`${name}.${kind}`)
        return rows ? someRows(all, rows) : all
      }
      return ops.storedLinear(x, matrix(wanted('weight')), hasBias ? plain(wanted('bias')) : undefined)
    },
  }
}

import type { Layers } from '@qoq-med/encoders'
import type { Keyed } from '@qoq-med/model'
import type { Ops, Tensor } from '@qoq-med/tensor'

/** The numbers of a run by the name of the graph's output. */
export type PassResults = Readonly<Record<string, unknown>>

/** What a pass builds its graph with. */
export interface PassGraph {
  readonly ops: Ops<Tensor>
  /** Layers of the weights, with adapters beside them where a pass trains some. */
  readonly layers: Layers<Tensor>
  /** A weight by its name in the store. */
  readonly weights: (name: string) => Tensor
  /** An input of the batch. */
  readonly inputs: (name: string) => Tensor
}

/** Items packed for one run: equal keys have equal graphs, only `inputs` differ. */
export interface PassBatch<Report> extends Keyed {
  /** Records the graph. @returns its outputs by name */
  build(graph: PassGraph): Readonly<Record<string, Tensor>>
  /** What the outputs of a run say. */
  report(results: PassResults): Report
}

/** A computation over items under some weights, such as their log-probabilities. */
export interface Pass<Item, Report> {
  /** Keeps its compiled graphs apart from those of others. */
  readonly name: string
  /** Packs items, one at least. */
  batch(items: readonly Item[]): PassBatch<Report>
}

/** A batch whose graph has a loss, a scalar: the sum of the items' shares. */
export interface ObjectiveBatch<Report> extends PassBatch<Report> {
  build(graph: PassGraph): Readonly<Record<string, Tensor>> & { readonly loss: Tensor }
}

/** What a learner minimises. A new loss is one of these: a file, and nothing else. */
export interface Objective<Item, Report> extends Pass<Item, Report> {
  batch(items: readonly Item[]): ObjectiveBatch<Report>
}

/** A scalar output of a run. */
export function scalarOf(results: PassResults, name: string): number {
  return valuesOf(results, name)[0]!
}

/** An output of a run. */
export function valuesOf(results: PassResults, name: string): Float32Array {
  return results[name] as Float32Array // outputs of training graphs are float32
}

import { batchFeeds, type CachedProgram, type Keyed } from '@qoq-med/model'
import { gradients, type Graph, type ParameterStore, type Tensor } from '@qoq-med/tensor'

/** Outputs the gradient of every trainable parameter of a store that the graph reads. */
export function differentiate(
  graph: Graph,
  loss: Tensor,
  store: ParameterStore,
  weights: (name: string) => Tensor,
): void {
  const read = new Set(graph.inputs.map(input => input.name))
  const trained = store.parameters.filter(({ name, isTrainable }) => isTrainable && read.has(name))
  const found = gradients(
    graph,
    loss,
    trained.map(({ name }) => weights(name)),
  )
  trained.forEach(({ name }, i) => graph.output(gradientName(name), found[i]!))
}

/**
 * Runs a program of `differentiate` on the weights of a store and adds the gradients to those in the store.
 *
 * @param feeds further inputs of the graph by name
 */
export function runAccumulating(
  cached: CachedProgram,
  batch: Keyed,
  store: ParameterStore,
  feeds: Readonly<Record<string, Float32Array>> = {},
): Promise<Readonly<Record<string, unknown>>> {
  const trained = store.parameters.filter(({ name, isTrainable }) => isTrainable && cached.weights.includes(name))
  return cached.program.run(
    { ...batchFeeds(cached, batch, name => store.weights(name)), ...feeds },
    { accumulate: Object.fromEntries(trained.map(({ name }) => [gradientName(name), store.gradient(name)])) },
  )
}

/** A scalar among the results of a run. */
export function scalarOf(results: Readonly<Record<string, unknown>>, name: string): number {
  return Number((results[name] as Float32Array)[0]) // a float32 output
}

function gradientName(parameter: string): string {
  return `gradient of ${parameter}`
}

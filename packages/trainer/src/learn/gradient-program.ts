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

/** What a run of `runAccumulating` takes beside the batch. */
export interface AccumulateOptions {
  /** Further inputs of the graph by name. */
  readonly feeds?: Readonly<Record<string, Float32Array>> | undefined
  /** Writes over the gradients in the store, as the first microbatch of an update may: a pass over memory less. */
  readonly overwrites?: boolean
}

/** Runs a program of `differentiate` on the weights of a store and adds the gradients to those in the store. */
export async function runAccumulating(
  cached: CachedProgram,
  batch: Keyed,
  store: ParameterStore,
  { feeds = {}, overwrites = false }: AccumulateOptions = {},
): Promise<Readonly<Record<string, unknown>>> {
  const read = new Set(cached.weights)
  const trainable = store.parameters.filter(({ isTrainable }) => isTrainable)
  const targets = trainable
    .filter(({ name }) => read.has(name))
    .map(({ name }) => [gradientName(name), store.gradient(name)] as const)
  const results = await cached.program.run(
    { ...batchFeeds(cached, batch, name => store.weights(name)), ...feeds },
    { [overwrites ? 'into' : 'accumulate']: Object.fromEntries(targets) },
  )
  if (overwrites) for (const { name } of trainable) if (!read.has(name)) store.gradient(name).fill(0)
  return results
}

function gradientName(parameter: string): string {
  return `gradient of ${parameter}`
}

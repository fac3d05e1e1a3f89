import type { Layers } from '@qoq-med/encoders'
import type { Graph, Ops, Tensor } from '@qoq-med/tensor'
import { loraParameterSpecs, type LoraAdapters } from './lora-adapters.ts'
import { loraLayers } from './lora-layers.ts'

/** Adapters beside a base that does not change. */
export interface PolicyAdapters {
  readonly adapters: LoraAdapters
  /** A factor by its name (`loraParameterSpecs`), read in place at every run. */
  readonly factors: (name: string) => Float32Array
  /** Changes whenever the factors do. */
  readonly version: () => number
}

/** Layers with adapters whose factors a graph is fed with. */
export interface FedAdapters {
  readonly layers: Layers<Tensor>
  /** Factors that the graph asked for so far. */
  readonly names: ReadonlySet<string>
}

/** Puts adapters on the layers of a graph. */
export function fedAdapters(
  graph: Graph,
  ops: Ops<Tensor>,
  layers: Layers<Tensor>,
  { adapters }: Pick<PolicyAdapters, 'adapters'>,
): FedAdapters {
  const shapes = new Map(loraParameterSpecs(adapters).map(({ name, shape }) => [name, shape]))
  const inputs = new Map<string, Tensor>()
  const names = new Set<string>()
  const factors = (name: string): Tensor => {
    const tensor = inputs.get(name) ?? graph.input(name, shapes.get(name)!) // adapters ask for their own factors
    inputs.set(name, tensor)
    names.add(name)
    return tensor
  }
  return { layers: loraLayers(ops, { layers, factors }, adapters), names }
}

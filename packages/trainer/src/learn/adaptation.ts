import {
  counterStream,
  loraLayers,
  mergedWeights,
  type FrozenBase,
  type Keyed,
  type LoraAdapters,
  type LoraBase,
  type MergedWeights,
} from '@qoq-med/model'
import { weightLayers, type Layers } from '@qoq-med/encoders'
import { graphOps, sizeOf, type Graph, type ParameterStore, type Tensor } from '@qoq-med/tensor'
import { mixSeed } from '../config/mix-seed.ts'

/** Low-rank adapters in training, over a base that is frozen. */
export interface Adaptation {
  readonly adapters: LoraAdapters
  /** What a pass that does not train is fed with: the weights of the whole model, or the factors alone where its base is on disk. */
  readonly weights: (name: string) => Float32Array
  /** Call it when the factors have changed. */
  refresh(): void
  /** The layers that the graph of a training pass is built with. `key` names the graph. */
  layers(graph: Graph, weights: (name: string) => Tensor, key: string): Layers<Tensor>
  /** The layers of a pass that does not train. */
  answering(graph: Graph, weights: (name: string) => Tensor): Layers<Tensor>
  /** Fresh dropout masks for a pass of the graph `key`. `pass` numbers passes; the same pass has the same masks. */
  masks(key: string, pass: readonly [step: number, microbatch: number]): Record<string, Float32Array>
  /** What a graph over a batch is fed with beside its inputs and weights. */
  feeds(batch: Keyed): Promise<Readonly<Record<string, Float32Array>>>
  /** Where the files of a base on disk lie. */
  readonly dataFolder?: string
}

/** Makes adapters beside their base, in one store, ready to train. @param seed of dropout */
export function createAdaptation(adapters: LoraAdapters, store: ParameterStore, seed: number): Adaptation {
  const merged: MergedWeights = mergedWeights(adapters, name => store.weights(name))
  return {
    ...trainingLayers(adapters, seed, (graph, weights) => weightLayers(graphOps(graph), weights)),
    adapters,
    weights: merged.weights,
    refresh: () => merged.refresh(),
    answering: (graph, weights) => weightLayers(graphOps(graph), weights),
    feeds: async () => ({}),
  }
}

/** Makes adapters over a base that stays on disk ready to train: the store has their factors alone. @param seed of dropout */
export function createFrozenAdaptation(
  adapters: LoraAdapters,
  store: ParameterStore,
  { base, seed }: { readonly base: FrozenBase; readonly seed: number },
): Adaptation {
  return {
    ...trainingLayers(adapters, seed, graph => base.layers(graph)),
    adapters,
    weights: name => store.weights(name),
    refresh: () => undefined,
    answering: (graph, factors) => loraLayers(graphOps(graph), { layers: base.layers(graph), factors }, adapters),
    feeds: batch => base.feeds(batch),
    dataFolder: base.folder,
  }
}

/** Layers with adapters whose inputs are dropped out, and the masks that do it. */
function trainingLayers(
  adapters: LoraAdapters,
  seed: number,
  layersOf: (graph: Graph, weights: (name: string) => Tensor) => Layers<Tensor>,
): Pick<Adaptation, 'layers' | 'masks'> {
  const shapes = new Map<string, Map<string, readonly number[]>>()
  const { dropout } = adapters.options
  return {
    layers: (graph, weights, key) => {
      const ops = graphOps(graph)
      const masks = new Map<string, readonly number[]>()
      shapes.set(key, masks)
      const drop = (x: Tensor): Tensor => {
        const name = `dropout.${masks.size}`
        masks.set(name, x.shape)
        return ops.mul(x, graph.input(name, x.shape))
      }
      const base: LoraBase<Tensor> = { layers: layersOf(graph, weights), factors: weights }
      return loraLayers(ops, base, adapters, ...(dropout > 0 ? [drop] : []))
    },
    masks: (key, pass) => {
      const wanted = [...(shapes.get(key) ?? [])]
      return Object.fromEntries(
        wanted.map(([name, shape], i) => [name, dropoutMask(shape, dropout, counterStream(mixSeed(seed, ...pass), i))]),
      )
    },
  }
}

/** Each element is 0 with chance `dropout`, else 1 / (1 − dropout), so that the mean stays 1. */
function dropoutMask(shape: readonly number[], dropout: number, random: () => number): Float32Array {
  const kept = 1 / (1 - dropout)
  return Float32Array.from({ length: sizeOf(shape) }, () => (random() < dropout ? 0 : kept))
}

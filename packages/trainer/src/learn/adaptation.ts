import { counterStream, mergedWeights, loraLayers, type LoraAdapters, type MergedWeights } from '@qoq-med/model'
import { weightLayers, type Layers } from '@qoq-med/encoders'
import { graphOps, sizeOf, type Graph, type ParameterStore, type Tensor } from '@qoq-med/tensor'
import { mixSeed } from '../config/mix-seed.ts'

/** Low-rank adapters in training: a frozen base and its factors in one store. */
export interface Adaptation {
  readonly adapters: LoraAdapters
  /** Weights of the whole model as it answers: the factors merged into the base. */
  readonly weights: (name: string) => Float32Array
  /** Merges again; call it when the factors have changed. */
  refresh(): void
  /** The layers that the graph of a training pass is built with. `key` names the graph. */
  layers(graph: Graph, weights: (name: string) => Tensor, key: string): Layers<Tensor>
  /** Fresh dropout masks for a pass of the graph `key`. `pass` numbers passes; the same pass has the same masks. */
  masks(key: string, pass: readonly [step: number, microbatch: number]): Record<string, Float32Array>
}

/** Makes a stage's adapters ready to train. @param seed of dropout */
export function createAdaptation(adapters: LoraAdapters, store: ParameterStore, seed: number): Adaptation {
  const merged: MergedWeights = mergedWeights(adapters, name => store.weights(name))
  const shapes = new Map<string, Map<string, readonly number[]>>()
  const { dropout } = adapters.options
  return {
    adapters,
    weights: merged.weights,
    refresh: () => merged.refresh(),
    layers: (graph, weights, key) => {
      const ops = graphOps(graph)
      const masks = new Map<string, readonly number[]>()
      shapes.set(key, masks)
      const drop = (x: Tensor): Tensor => {
        const name = `dropout.${masks.size}`
        masks.set(name, x.shape)
        return ops.mul(x, graph.input(name, x.shape))
      }
      const base = { layers: weightLayers(ops, weights), factors: weights }
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

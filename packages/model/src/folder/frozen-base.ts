import { resolve } from 'node:path'
import type { Layers } from '@qoq-med/encoders'
import { graphOps, type Graph, type Tensor } from '@qoq-med/tensor'
import type { PolicyModel } from '../composition/policy-model.ts'
import { embeddingName } from '../decoder/decoder.ts'
import { frozenLayers } from '../packed/frozen-layers.ts'
import type { Keyed } from '../programs/program-cache.ts'
import { openPackedModel, packedFiles, type OpenPackedOptions, type PackedModel } from './packed-model.ts'
import { packedParts, type PackedType } from '../packed/packed-parts.ts'

/** How the matrices of a frozen base may be kept. */
export type FrozenType = (typeof frozenTypes)[number]

/** Every way to keep the matrices of a frozen base, the most exact first. */
export const frozenTypes = ['float32', 'bfloat16', 'int8', 'int4'] as const satisfies readonly PackedType[]

/** Options of `openFrozenBase`. */
export interface OpenFrozenOptions extends OpenPackedOptions {
  readonly weightsType: FrozenType
}

/** A model of any size that does not train, under adapters that do: its weights stay in the files that answering maps too. */
export interface FrozenBase {
  readonly model: PolicyModel
  /** The checkpoint: a folder or a GGUF file. */
  readonly source: string
  readonly weightsType: FrozenType
  /** The same model to answer with, without adapters or with some. */
  readonly packed: PackedModel
  /** Holds the files; programs over `layers` are compiled with it (`ExecutorOptions.dataFolder`). */
  readonly folder: string
  /** Layers for a graph that is differentiated; it gets one input more, which `feeds` fills. */
  layers(graph: Graph): Layers<Tensor>
  /** What a batch needs beside its own inputs: the embeddings of its tokens, as the checkpoint has them. */
  feeds(batch: Pick<Keyed, 'inputs'>): Promise<Record<string, Float32Array>>
  /** Reads a weight as the checkpoint has it, not as it is kept. */
  readWeight(name: string): Promise<Float32Array>
  close(): Promise<void>
}

/** Bytes of a frozen base on disk, from its shapes. */
export function frozenBytes(model: Pick<PolicyModel, 'config' | 'parameters'>, type: FrozenType): number {
  const { decoder, encoders } = packedParts(model, type)
  return decoder.lengthBytes + encoders.lengthBytes
}

const embeddingsInput = 'embeddings'

/**
 * Opens a model that stays frozen in training: packed on disk once, as for answering, and mapped.
 *
 * @throws as `openPackedModel`, MODEL_CACHE_DAMAGED
 */
export async function openFrozenBase(folder: string, options: OpenFrozenOptions): Promise<FrozenBase> {
  const packed = await openPackedModel(folder, options)
  try {
    await packed.verified
  } catch (error) {
    await packed.close()
    throw error
  }
  const { model, layouts } = packed
  const { hiddenSize } = model.config.decoder
  const files = [
    { layout: layouts.decoder, location: packedFiles.decoder },
    { layout: layouts.encoders, location: packedFiles.encoders },
  ]
  return {
    model,
    source: resolve(folder),
    weightsType: options.weightsType,
    packed,
    folder: packed.folder,
    layers: graph => {
      const ops = graphOps(graph)
      const layers = frozenLayers(graph, ops, files)
      const rows = (name: string, at: Tensor): Tensor =>
        name === `${embeddingName}.weight`
          ? graph.input(embeddingsInput, [at.shape[0]!, hiddenSize])
          : ops.gatherRows(layers.weight(name), at)
      return { ...layers, rows }
    },
    feeds: async ({ inputs }) => {
      const tokenIds = inputs['tokenIds']!.data as Int32Array // of every batch
      const embeddings = new Float32Array(new SharedArrayBuffer(4 * tokenIds.length * hiddenSize))
      await packed.embed(tokenIds, embeddings)
      return { [embeddingsInput]: embeddings }
    },
    readWeight: packed.readWeight,
    close: () => packed.close(),
  }
}

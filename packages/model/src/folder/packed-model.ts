import { join } from 'node:path'
import { embeddingName } from '../decoder/decoder.ts'
import { openModel, type OpenModel, type OpenModelOptions } from './open-model.ts'
import type { PolicyModel } from '../composition/policy-model.ts'
import { packedKey } from './packed-key.ts'
import { writePackedFile } from '../packed/packed-file.ts'
import { packedParts, type PackedParts, type PackedType } from '../packed/packed-parts.ts'
import { cachedFolder, type WeightCacheOptions } from '../packed/weight-cache.ts'

/** Options of `openPackedModel`. */
export interface OpenPackedOptions extends OpenModelOptions {
  /** How matrices are kept. */
  readonly weightsType: PackedType
  readonly cache?: WeightCacheOptions | undefined
  /** Stops packing, which then leaves nothing. */
  readonly signal?: AbortSignal | undefined
}

/** A model to answer and score with, whose weights lie packed in files that the runtime maps. */
export interface PackedModel {
  readonly model: PolicyModel
  readonly weightsType: PackedType
  /** Hash of the checkpoint's headers, sizes and times, and of how it is packed. */
  readonly key: string
  /** Holds the files below. */
  readonly folder: string
  /** Resolves when the files were compared with what was written. @throws MODEL_CACHE_DAMAGED */
  readonly verified: Promise<void>
  /** Where the weights lie in the files. */
  readonly layouts: PackedParts
  /** Reads embeddings of tokens into `target` [tokens, hiddenSize], as they are stored in the checkpoint. */
  embed(tokenIds: Iterable<number>, target: Float32Array): Promise<void>
  /** Reads a weight as the checkpoint has it. */
  readonly readWeight: (name: string) => Promise<Float32Array>
  close(): Promise<void>
}

/** Files of a packed model. */
export const packedFiles = { decoder: 'decoder.bin', encoders: 'encoders.bin' } as const

/**
 * Opens a model to answer and score with, of any size: its weights go tensor by tensor into a packed form on disk, once; a later
 * start finds them there. Float32 of the whole model never exists.
 *
 * @throws as `openModel`, MODEL_CACHE_FULL, MODEL_CACHE_UNUSABLE, the signal's reason
 */
export async function openPackedModel(
  folder: string,
  { weightsType, cache, signal, ...options }: OpenPackedOptions,
): Promise<PackedModel> {
  const opened = await openModel(folder, options)
  try {
    const { model } = opened
    const parts = packedParts(
      { config: model.config, parameters: model.parameters, stored: opened.stored },
      weightsType,
    )
    const content = {
      key: await packedKey(opened, weightsType, parts),
      model: model.name,
      bytes: parts.decoder.lengthBytes + parts.encoders.lengthBytes,
      fill: (target: string) => fillFolder(target, opened, parts, signal),
    }
    const cached = await cachedFolder(content, cache)
    cached.verified.catch(() => undefined) // whoever runs the model is told
    return {
      model,
      weightsType,
      key: content.key,
      ...cached,
      layouts: parts,
      readWeight: opened.readWeight,
      embed: async (tokenIds, target) => {
        const { hiddenSize } = model.config.decoder
        let at = 0
        for (const id of tokenIds) {
          await opened.readRows(`${embeddingName}.weight`, id, target.subarray(at, (at += hiddenSize)))
        }
      },
      close: () => opened.close(),
    }
  } catch (error) {
    await opened.close()
    throw error
  }
}

async function fillFolder(
  folder: string,
  opened: OpenModel,
  { decoder, encoders }: PackedParts,
  signal: AbortSignal | undefined,
): Promise<void> {
  await writePackedFile(join(folder, packedFiles.decoder), decoder, opened, signal)
  if (encoders.entries.size > 0) await writePackedFile(join(folder, packedFiles.encoders), encoders, opened, signal)
}

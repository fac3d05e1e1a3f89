import type { Feeds } from '@qoq-med/tensor'
import type { DecoderConfig } from '../decoder/decoder-config.ts'
import type { Encoded } from '../prompt/encoded.ts'
import type { CacheType } from './cache-codec.ts'
import type { DecodeOutputs } from './decode-graph.ts'
import type { PrefillSlices } from './kv-cache.ts'

/** A prompt whose prefill is done: where its keys and values lie among those that were computed with it. */
export interface Prefilled {
  /** [V] of its last token */
  readonly logits: Float32Array
  readonly slices: PrefillSlices
  readonly index: number
  /** Tokens that there is room for in `slices`. */
  readonly padded: number
}

/** How the engine reaches the model. */
export interface EngineModel {
  readonly config: DecoderConfig
  /** How keys and values of prefilled prompts are kept. Default float32. */
  readonly cacheType?: CacheType
  /**
   * Computes prompts: logits of their last tokens, and what the cache keeps of them.
   *
   * @param isDropped says whether nobody waits for a prompt any more: it may then be left half done
   * @returns per prompt; nothing for one that was dropped
   */
  prefill(
    prompts: readonly Encoded[],
    isDropped: (index: number) => boolean,
  ): Promise<readonly (Prefilled | undefined)[]>
  /** One token further: the feeds of `decodeFeeds`. */
  decode(feeds: Feeds, rows: number, wanted: readonly (keyof DecodeOutputs)[]): Promise<DecodeOutputs>
  /** Writes the embeddings of tokens into `target` [tokens, hiddenSize]. */
  embed(tokenIds: readonly number[], target: Float32Array): Promise<void>
}

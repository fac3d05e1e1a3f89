import type { Layers } from '@qoq-med/encoders'
import { graphOps, type Graph, type Ops, type Tensor } from '@qoq-med/tensor'
import type { DecoderConfig } from '../decoder/decoder-config.ts'
import type { Attend, PastKeys } from '../decoder/attention.ts'
import { decoder, logits as logitsOf } from '../decoder/decoder.ts'
import { cacheCodec, type CacheType } from './cache-codec.ts'

/** What a decode step can answer; only what is fetched is copied out of the runtime. */
export interface DecodeOutputs {
  /** [2 * layers, B, K * headDim] new keys and values of layer 0, of layer 1, … */
  readonly present: Float32Array
  /** [B, V] */
  readonly logits?: Float32Array
  /** [B, V] softmax of the logits divided by the temperature. */
  readonly probabilities?: Float32Array
  /** [B] the largest probability. */
  readonly peak?: Float32Array
}

/** What tells programs over a cache apart. */
export interface CachedDecoderOptions {
  /** How the new tokens attend to the cache and to each other; may open inputs of its own. */
  readonly attend: (ops: Ops<Tensor>, past: PastKeys<Tensor>) => Attend<Tensor>
  /** Picks the N tokens whose logits are wanted; all by default. */
  readonly wanted?: (ops: Ops<Tensor>, hidden: Tensor) => Tensor
  /** How the cache keeps keys and values. Default float32. */
  readonly cacheType?: CacheType
}

/**
 * Records the decoder for T new tokens of each of B sequences over a cache of P tokens. At few sequences the number of
 * operations is what costs: layers are fused where they can be, and SwiGLU takes the runtime's sigmoid.
 *
 * Inputs: embeddings [B * T, hiddenSize]; cos, sin [B * T, headDim / 2]; keys.i, values.i [B, K, P, headDim], of int8 also
 * keyScales.i, valueScales.i [B, K, P, blocks]; mask [B, 1, 1, P];
 * inverseTemperature [N, 1]. Outputs: those of `DecodeOutputs`, present for all tokens, the others for the N.
 */
export function recordCachedDecoder(
  graph: Graph,
  config: DecoderConfig,
  layers: Layers<Tensor>,
  { attend, wanted = (_ops, hidden) => hidden, cacheType = 'float32' }: CachedDecoderOptions,
): void {
  const ops = graphOps(graph)
  const { hiddenSize, headDim, numKvHeads } = config
  const open = (name: string, shape: readonly number[]): Tensor => graph.input(name, [-1, ...shape])
  const { dtype, blocks } = cacheCodec(cacheType, headDim)
  const caches = (kind: string): ((layer: number) => Tensor) => {
    const stored = Array.from({ length: config.numLayers }, (_, layer) => {
      const values = graph.input(`${kind}s.${layer}`, [-1, numKvHeads, -1, headDim], dtype)
      return [values, ...(blocks > 0 ? [open(`${kind}Scales.${layer}`, [numKvHeads, -1, blocks])] : [])] as const
    })
    return layer => {
      const [values, scales] = stored[layer]!
      return dtype === 'float32' ? values : ops.cacheFloats(values, scales)
    }
  }
  const [keys, values] = [caches('key'), caches('value')]
  const output = decoder(ops, layers, config, {
    embeddings: open('embeddings', [hiddenSize]),
    cos: open('cos', [headDim / 2]),
    sin: open('sin', [headDim / 2]),
    attend: attend(ops, {
      mask: open('mask', [1, 1, -1]),
      keys,
      values,
    }),
    approximate: true,
  })
  const present = output.keys.flatMap((own, layer) => [own, output.values[layer]!])
  const logits = logitsOf(layers, config, wanted(ops, output.hidden))
  const probabilities = ops.softmax(ops.mul(logits, open('inverseTemperature', [1])))
  graph.output('present', ops.concat(present, 0))
  graph.output('logits', logits)
  graph.output('probabilities', probabilities)
  graph.output('peak', ops.max(probabilities, { axis: -1 }))
}

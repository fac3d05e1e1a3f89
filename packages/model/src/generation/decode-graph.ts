import type { Layers } from '@qoq-med/encoders'
import { graphOps, type Graph, type Ops, type Tensor } from '@qoq-med/tensor'
import type { DecoderConfig } from '../decoder/decoder-config.ts'
import type { Attend, PastKeys } from '../decoder/attention.ts'
import { decoderLayers, lastNorm, logits as logitsOf, type LayerRange } from '../decoder/decoder.ts'
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
  /** Layers of this program, where several are run one after the other. Default all. */
  readonly range?: LayerRange
}

/**
 * Records the decoder for T new tokens of each of B sequences over a cache of P tokens. At few sequences the number of
 * operations is what costs: layers are fused where they can be, and SwiGLU takes the runtime's sigmoid.
 *
 * Inputs: embeddings [B * T, hiddenSize], or what the layers before answered; cos, sin [B * T, headDim / 2]; keys.i, values.i
 * [B, K, P, headDim], of int8 also keyScales.i, valueScales.i [B, K, P, blocks]; mask [B, 1, 1, P]. Output: present, of all tokens.
 * Of the last layers also: input inverseTemperature [N, 1], and the other outputs of `DecodeOutputs` for the N; of layers before
 * them: output hidden [B * T, hiddenSize].
 */
export function recordCachedDecoder(
  graph: Graph,
  config: DecoderConfig,
  layers: Layers<Tensor>,
  {
    attend,
    wanted = (_ops, hidden) => hidden,
    cacheType = 'float32',
    range = { first: 0, end: config.numLayers },
  }: CachedDecoderOptions,
): void {
  const ops = graphOps(graph)
  const { hiddenSize, headDim } = config
  const open = (name: string, shape: readonly number[]): Tensor => graph.input(name, [-1, ...shape])
  const past = cacheInputs(graph, ops, config, { cacheType, range })
  const input = {
    embeddings: open('embeddings', [hiddenSize]),
    cos: open('cos', [headDim / 2]),
    sin: open('sin', [headDim / 2]),
    attend: attend(ops, { ...past, mask: open('mask', [1, 1, -1]) }),
    approximate: true,
  }
  const { hidden, keys, values } = decoderLayers(ops, layers, config, input, range)
  graph.output(
    'present',
    ops.concat(
      keys.flatMap((own, at) => [own, values[at]!]),
      0,
    ),
  ) // a value beside every key
  if (range.end < config.numLayers) return graph.output('hidden', hidden)
  const logits = logitsOf(layers, config, wanted(ops, lastNorm(ops, layers, config, hidden)))
  const probabilities = ops.softmax(ops.mul(logits, open('inverseTemperature', [1])))
  graph.output('logits', logits)
  graph.output('probabilities', probabilities)
  graph.output('peak', ops.max(probabilities, { axis: -1 }))
}

/** What is cached of some layers, in float32. */
function cacheInputs(
  graph: Graph,
  ops: Ops<Tensor>,
  { numKvHeads, headDim }: DecoderConfig,
  { cacheType, range: { first, end } }: { readonly cacheType: CacheType; readonly range: LayerRange },
): Pick<PastKeys<Tensor>, 'keys' | 'values'> {
  const { dtype, blocks } = cacheCodec(cacheType, headDim)
  const caches = (kind: string): ((layer: number) => Tensor) => {
    const stored = Array.from({ length: end - first }, (_, at) => {
      const name = (suffix: string): string => `${kind}${suffix}.${first + at}`
      const values = graph.input(name('s'), [-1, numKvHeads, -1, headDim], dtype)
      return [values, ...(blocks > 0 ? [graph.input(name('Scales'), [-1, numKvHeads, -1, blocks])] : [])] as const
    })
    return layer => {
      const [values, scales] = stored[layer - first]! // a layer of the range
      return dtype === 'float32' ? values : ops.cacheFloats(values, scales)
    }
  }
  return { keys: caches('key'), values: caches('value') }
}

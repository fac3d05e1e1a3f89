import type { Ops } from '@qoq-med/tensor'
import { scopeLayers, type Layers } from '../layers.ts'
import type { VisionConfig } from './vision-config.ts'

/** The lengths of a plan that the graph depends on. */
export interface VisionLayout {
  readonly segments: number
  readonly windows: number
  readonly places: number
}

/** What flows into the tower; N = segments * windows * places slots. */
export interface VisionInputs<T> {
  /** [N, channels * temporalPatchSize * patchSize²] */
  readonly pixelValues: T
  /** [N, headDim / 2] */
  readonly cos: T
  /** [N, headDim / 2] */
  readonly sin: T
  /** [N], absent where nothing is padded */
  readonly keyMask?: T | undefined
  /** [tokens] int32 */
  readonly slotOfToken: T
}

const rmsEpsilon = 1e-6

/**
 * Qwen2.5-VL's vision tower: patches to tokens of the LLM.
 *
 * @param layers names relative to `visual.`
 * @returns [tokens, outHiddenSize] in the order of the images
 */
export function visionTower<T>(
  ops: Ops<T>,
  layers: Layers<T>,
  config: VisionConfig,
  layout: VisionLayout,
  inputs: VisionInputs<T>,
): T {
  const hidden = visionBlocks(ops, layers, config, layout, inputs)
  return ops.gatherRows(patchMerger(ops, scopeLayers(layers, 'merger.'), config, hidden), inputs.slotOfToken)
}

/** The tower up to the merger: [N, hiddenSize], in the order of the slots. */
export function visionBlocks<T>(
  ops: Ops<T>,
  layers: Layers<T>,
  config: VisionConfig,
  layout: VisionLayout,
  inputs: VisionInputs<T>,
): T {
  const kernel = layers.weight('patch_embed.proj.weight')
  const patchLength = ops.shape(inputs.pixelValues)[1]!
  // The kernel is as large as its stride, so the convolution is a product.
  let x = ops.linear(inputs.pixelValues, ops.reshape(kernel, [config.hiddenSize, patchLength]))
  for (let block = 0; block < config.depth; block++) {
    const isFull = config.fullattBlockIndexes.includes(block)
    const batch = isFull ? layout.segments : layout.segments * layout.windows
    x = visionBlock(ops, scopeLayers(layers, `blocks.${block}.`), config, batch, x, inputs)
  }
  return x
}

/** Attention and MLP with residuals, pre-normalised; tokens attend within `batch` equal parts of the slots. */
function visionBlock<T>(
  ops: Ops<T>,
  layers: Layers<T>,
  config: VisionConfig,
  batch: number,
  x: T,
  inputs: VisionInputs<T>,
): T {
  const normed = ops.rmsNorm(x, layers.weight('norm1.weight'), rmsEpsilon)
  const attended = ops.add(x, visionAttention(ops, scopeLayers(layers, 'attn.'), config, batch, normed, inputs))
  const rest = ops.rmsNorm(attended, layers.weight('norm2.weight'), rmsEpsilon)
  return ops.add(attended, visionMlp(ops, scopeLayers(layers, 'mlp.'), rest))
}

function visionAttention<T>(
  ops: Ops<T>,
  layers: Layers<T>,
  { hiddenSize, numHeads }: VisionConfig,
  batch: number,
  x: T,
  { cos, sin, keyMask }: VisionInputs<T>,
): T {
  const slots = ops.shape(x)[0]!
  const length = slots / batch
  const headDim = hiddenSize / numHeads
  const part = (index: number): T =>
    layers.linear(x, 'qkv', { hasBias: true, rows: [index * hiddenSize, (index + 1) * hiddenSize] })
  const turned = (value: T): T => ops.rotary(ops.reshape(value, [batch, length, hiddenSize]), cos, sin)
  const heads = (value: T): T => ops.transpose(ops.reshape(value, [batch, length, numHeads, headDim]), [0, 2, 1, 3])
  const mask = keyMask === undefined ? {} : { mask: ops.reshape(keyMask, [batch, 1, 1, 1, length]) }
  const [queries, keys, values] = [heads(turned(part(0))), heads(turned(part(1))), heads(part(2))]
  const attended = headRanges(numHeads, 4 * batch * length ** 2).map(([start, end]) => {
    const own = (value: T): T => ops.slice(value, 1, start, end)
    const q = ops.reshape(own(queries), [batch, end - start, 1, length, headDim])
    const answered = ops.attention(q, own(keys), own(values), { scale: headDim ** -0.5, ...mask })
    return ops.reshape(answered, [batch, end - start, length, headDim])
  })
  const joined = ops.transpose(ops.concat(attended, 1), [0, 2, 1, 3])
  return layers.linear(ops.reshape(joined, [slots, hiddenSize]), 'proj', { hasBias: true })
}

/** Bytes of attention scores at a time: those of a large picture over all heads would take more than the tower's weights. */
const scoreBytes = 2 ** 26

/** Divides heads so that the scores of a part, `bytes` each head, stay small. */
function headRanges(numHeads: number, bytes: number): (readonly [start: number, end: number])[] {
  const most = Math.max(1, Math.floor(scoreBytes / bytes))
  return Array.from({ length: Math.ceil(numHeads / most) }, (_, i) => [i * most, Math.min(numHeads, (i + 1) * most)])
}

function visionMlp<T>(ops: Ops<T>, layers: Layers<T>, x: T): T {
  const gate = layers.linear(x, 'gate_proj', { hasBias: true })
  const up = layers.linear(x, 'up_proj', { hasBias: true })
  return layers.linear(ops.swiglu(gate, up), 'down_proj', { hasBias: true })
}

/** Joins the patches of a block into one token and projects it: [N, D] to [N / spatialMergeSize², outHiddenSize]. */
function patchMerger<T>(ops: Ops<T>, layers: Layers<T>, config: VisionConfig, x: T): T {
  const area = config.spatialMergeSize ** 2
  const normed = ops.rmsNorm(x, layers.weight('ln_q.weight'), rmsEpsilon)
  const joined = ops.reshape(normed, [ops.shape(x)[0]! / area, config.hiddenSize * area])
  const inner = ops.gelu(layers.linear(joined, 'mlp.0', { hasBias: true }))
  return layers.linear(inner, 'mlp.2', { hasBias: true })
}

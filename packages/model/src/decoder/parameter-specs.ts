import type { ParameterInit, ParameterSpec } from '@qoq-med/encoders'
import type { DecoderConfig } from './decoder-config.ts'

/** Every weight of the decoder under its checkpoint name, in checkpoint order; initialised as transformers does. */
export function decoderParameterSpecs(config: DecoderConfig): ParameterSpec[] {
  const { hiddenSize, intermediateSize, numHeads, numKvHeads, headDim, vocabSize } = config
  const normal: ParameterInit = { type: 'normal', std: config.initializerRange }
  const spec = (name: string, shape: readonly number[], init: ParameterInit = normal): ParameterSpec => ({
    name,
    shape,
    init,
    isTrainable: true,
  })
  const norm = (name: string): ParameterSpec => spec(`${name}.weight`, [hiddenSize], { type: 'ones' })
  const projection = (name: string, width: number): ParameterSpec[] => [
    spec(`${name}.weight`, [width, hiddenSize]),
    ...(config.attentionBias ? [spec(`${name}.bias`, [width], { type: 'zeros' })] : []),
  ]
  const layer = (at: number): ParameterSpec[] => {
    const prefix = `model.layers.${at}`
    return [
      norm(`${prefix}.input_layernorm`),
      ...projection(`${prefix}.self_attn.q_proj`, numHeads * headDim),
      ...projection(`${prefix}.self_attn.k_proj`, numKvHeads * headDim),
      ...projection(`${prefix}.self_attn.v_proj`, numKvHeads * headDim),
      spec(`${prefix}.self_attn.o_proj.weight`, [hiddenSize, numHeads * headDim]),
      norm(`${prefix}.post_attention_layernorm`),
      spec(`${prefix}.mlp.gate_proj.weight`, [intermediateSize, hiddenSize]),
      spec(`${prefix}.mlp.up_proj.weight`, [intermediateSize, hiddenSize]),
      spec(`${prefix}.mlp.down_proj.weight`, [hiddenSize, intermediateSize]),
    ]
  }
  return [
    spec('model.embed_tokens.weight', [vocabSize, hiddenSize]),
    ...Array.from({ length: config.numLayers }, (_, at) => layer(at)).flat(),
    norm('model.norm'),
    ...(config.tieWordEmbeddings ? [] : [spec('lm_head.weight', [vocabSize, hiddenSize])]),
  ]
}

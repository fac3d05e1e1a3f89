import type { DecoderConfig } from '../checkpoint/decoder-config.ts'

/** Name and shape of a weight, and how it starts when a model is trained from scratch. */
export interface ParameterSpec {
  readonly name: string
  readonly shape: readonly number[]
  readonly init: 'normal' | 'zeros' | 'ones'
}

/** Every weight of the decoder under its checkpoint name, in checkpoint order. */
export function decoderParameterSpecs(config: DecoderConfig): ParameterSpec[] {
  const { hiddenSize, intermediateSize, numHeads, numKvHeads, headDim, vocabSize } = config
  const norm = (name: string): ParameterSpec => ({ name: `${name}.weight`, shape: [hiddenSize], init: 'ones' })
  const projection = (name: string, rows: number): ParameterSpec[] => [
    matrix(name, rows, hiddenSize),
    ...(config.attentionBias ? [{ name: `${name}.bias`, shape: [rows], init: 'zeros' as const }] : []),
  ]
  const layer = (at: number): ParameterSpec[] => {
    const prefix = `model.layers.${at}`
    return [
      norm(`${prefix}.input_layernorm`),
      ...projection(`${prefix}.self_attn.q_proj`, numHeads * headDim),
      ...projection(`${prefix}.self_attn.k_proj`, numKvHeads * headDim),
      ...projection(`${prefix}.self_attn.v_proj`, numKvHeads * headDim),
      matrix(`${prefix}.self_attn.o_proj`, hiddenSize, numHeads * headDim),
      norm(`${prefix}.post_attention_layernorm`),
      matrix(`${prefix}.mlp.gate_proj`, intermediateSize, hiddenSize),
      matrix(`${prefix}.mlp.up_proj`, intermediateSize, hiddenSize),
      matrix(`${prefix}.mlp.down_proj`, hiddenSize, intermediateSize),
    ]
  }
  return [
    matrix('model.embed_tokens', vocabSize, hiddenSize),
    ...Array.from({ length: config.numLayers }, (_, at) => layer(at)).flat(),
    norm('model.norm'),
    ...(config.tieWordEmbeddings ? [] : [matrix('lm_head', vocabSize, hiddenSize)]),
  ]
}

function matrix(name: string, rows: number, columns: number): ParameterSpec {
  return { name: `${name}.weight`, shape: [rows, columns], init: 'normal' }
}

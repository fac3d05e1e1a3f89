import { fileURLToPath } from 'node:url'
import { loadModel } from '../folder/model-weights.ts'
import type { GgufTensorToWrite, GgufValueToWrite } from './gguf.testing.ts'

const fixture = fileURLToPath(new URL('../../fixtures/qwen2_text_sharded_bf16', import.meta.url))

/** Metadata of the small Qwen2 fixture, with a tokenizer of 256 bytes. */
export const ggufMetadata: Readonly<Record<string, GgufValueToWrite>> = {
  'general.architecture': 'qwen2',
  'qwen2.block_count': 3,
  'qwen2.context_length': 2048,
  'qwen2.embedding_length': 48,
  'qwen2.feed_forward_length': 88,
  'qwen2.attention.head_count': 3,
  'qwen2.attention.head_count_kv': 1,
  'qwen2.attention.layer_norm_rms_epsilon': { float: 1e-6 },
  'qwen2.rope.freq_base': { float: 1e6 },
  'tokenizer.ggml.model': 'gpt2',
  'tokenizer.ggml.pre': 'qwen2',
  'tokenizer.ggml.tokens': ['<|im_end|>', 'a', 'b', 'ab'],
  'tokenizer.ggml.token_type': [3, 1, 1, 1],
  'tokenizer.ggml.merges': ['a b'],
  'tokenizer.ggml.eos_token_id': 0,
  'tokenizer.chat_template': '{{ messages[0].content }}',
}

const ggufNames: Readonly<Record<string, string>> = {
  'model.embed_tokens': 'token_embd',
  'model.norm': 'output_norm',
  lm_head: 'output',
  input_layernorm: 'attn_norm',
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  post_attention_layernorm: 'ffn_norm',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
}

/** The name of a tensor of the language model in a GGUF file. */
export function ggufName(name: string): string {
  const [, layer, part, kind] = /^(?:model\.layers\.(\d+)\.)?(.*)\.(weight|bias)$/.exec(name)!
  return `${layer === undefined ? '' : `blk.${layer}.`}${ggufNames[part!]}.${kind}`
}

/** The tensors of the fixture as GGUF stores them; `reorder` changes rows of one. */
export async function tensorsOfFixture(
  reorder: (name: string, values: Float32Array) => Float32Array = (_, values) => values,
): Promise<{ tensors: GgufTensorToWrite[]; weights: (name: string) => Float32Array; names: string[] }> {
  const { model, store } = await loadModel(fixture)
  const tensors = model.parameters.map(({ name, shape }) => {
    const values = reorder(name, store.weights(name)).slice()
    return { name: ggufName(name), shape, data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) }
  })
  return { tensors, weights: name => store.weights(name), names: model.parameters.map(({ name }) => name) }
}

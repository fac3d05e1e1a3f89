import { defineArchitecture } from '../../decoder/architecture.ts'

/** Llama and what is built like it, such as SmolLM2. */
export const llama = defineArchitecture({
  family: 'llama',
  modelTypes: ['llama'],
  className: 'LlamaForCausalLM',
  ggufNames: ['llama'],
  hasVision: false,
  attentionBias: said => said ?? false,
  ggufInterleaves: true,
})

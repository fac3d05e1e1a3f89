import { defineArchitecture } from '../../decoder/architecture.ts'

/** Qwen2 and Qwen2.5, and the language model of qwen2vl GGUF files, whose tower lies in a file beside them. */
export const qwen2 = defineArchitecture({
  family: 'qwen2',
  modelTypes: ['qwen2'],
  className: 'Qwen2ForCausalLM',
  ggufNames: ['qwen2', 'qwen2vl'],
  hasVision: false,
  attentionBias: () => true,
  ggufInterleaves: false,
})

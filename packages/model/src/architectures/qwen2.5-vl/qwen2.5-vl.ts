import { defineArchitecture } from '../../decoder/architecture.ts'

/** Qwen2.5-VL, and the release of QoQ-Med, which adds an ECG encoder to it. */
export const qwen25Vl = defineArchitecture({
  family: 'qwen2_5_vl',
  modelTypes: ['qwen2_5_vl', 'time_series_qwen2_5_vl'],
  className: 'Qwen2_5_VLForConditionalGeneration',
  ggufNames: [],
  hasVision: true,
  attentionBias: () => true,
  ggufInterleaves: false,
})

export { constantInputs, type Encoder, type EncoderBatch, type HostTensor } from './encoder.ts'
export { scopeLayers, weightLayers, type Layers, type LinearOptions, type Weights } from './layers.ts'
export { encodersErrors } from './errors.ts'
export { initialValues, type ParameterInit, type ParameterSpec } from './parameter-spec.ts'

export { frameIndices, type FrameRule } from './vision/frame-indices.ts'
export {
  defaultImageProcessor,
  processImage,
  processVideo,
  releaseImageProcessor,
  seenSize,
  type GridThw,
  type ImageProcessorConfig,
  type PixelPatches,
} from './vision/image-processor.ts'
export { resizeBicubic } from './vision/bicubic-resize.ts'
export { resizeNearest } from './vision/nearest-resize.ts'
export type { RgbImage } from './vision/rgb-image.ts'
export { smartResize, type PixelLimits } from './vision/smart-resize.ts'
export {
  nanoVision,
  picoVision,
  qwen25Vl7bVision,
  readVisionConfig,
  writeVisionConfig,
  type VisionConfig,
} from './vision/vision-config.ts'
export {
  createVisionEncoder,
  visionBatch,
  visionParameterSpecs,
  type VisionEncoderOptions,
} from './vision/vision-encoder.ts'
export { planVision, type VisionBucket, type VisionPlan } from './vision/vision-plan.ts'
export { visionTower, type VisionInputs, type VisionLayout } from './vision/vision-tower.ts'

export {
  jepaLeads,
  jepaWindow,
  preprocessEcg,
  releaseWindow,
  type EcgRecording,
  type EcgWindow,
  type PreparedEcg,
  type PreprocessEcgOptions,
} from './ecg/preprocess-ecg.ts'
export { resampleFourier } from './ecg/resample.ts'
export {
  ecgPredictorFor,
  nanoEcgJepa,
  picoEcgJepa,
  nanoEcgPredictor,
  officialEcgJepa,
  officialEcgPredictor,
  pooledTokens,
  readEcgJepaConfig,
  writeEcgJepaConfig,
  type EcgJepaConfig,
  type EcgPooling,
  type EcgPredictorConfig,
} from './ecg-jepa/config.ts'
export {
  createEcgEncoder,
  ecgBatch,
  ecgEmbeddings,
  ecgEncoderParameterSpecs,
  type EcgEncoderOptions,
} from './ecg-jepa/ecg-encoder.ts'
export { ecgJepaEncoder, poolEcgTokens } from './ecg-jepa/encoder.ts'
export { ecgJepaParameterSpecs } from './ecg-jepa/parameter-specs.ts'
export { blockPatchMask, patchMask, randomPatchMask, type MaskScale, type PatchMask } from './ecg-jepa/patch-mask.ts'
export { ecgPredictor, ecgPredictorParameterSpecs } from './ecg-jepa/predictor.ts'
export {
  ecgPretrainingBatch,
  ecgPretrainingParameterSpecs,
  initialEcgPretraining,
  targetMomentum,
  updateTargetEncoder,
  type EcgPretrainingBatch,
  type EcgPretrainingConfig,
  type JepaLoss,
} from './ecg-jepa/pretraining.ts'
export { sizeLadder, type BatchRounding } from './size-ladder.ts'

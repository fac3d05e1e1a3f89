export type { ModelFamily } from './architectures/architectures.ts'
export { openCheckpoint, openSafetensorsSource } from './checkpoint/checkpoint-files.ts'
export type { DecoderConfig } from './decoder/decoder-config.ts'
export {
  configDocument,
  modelConfig,
  type EcgConfig,
  type ModelConfig,
  type SpecialTokenIds,
} from './checkpoint/model-config.ts'
export { openPth } from './checkpoint/pth-source.ts'
export { openSafetensors, type SafetensorsFile } from './checkpoint/safetensors-reader.ts'
export { writeSafetensors, type TensorData, type TensorToWrite } from './checkpoint/safetensors-writer.ts'
export type { StoredTensor, TensorSource } from './checkpoint/tensor-source.ts'
export { modelErrors } from './errors.ts'
export {
  frozenBytes,
  frozenTypes,
  openFrozenBase,
  type FrozenBase,
  type FrozenType,
  type OpenFrozenOptions,
} from './folder/frozen-base.ts'
export { openPackedModel, type PackedModel, type OpenPackedOptions } from './folder/packed-model.ts'
export {
  planMemory,
  requireMemory,
  weightsTypeFor,
  type MemoryPlan,
  type MemoryPlanOptions,
} from './folder/memory-plan.ts'
export { packedTypes, type PackedType } from './packed/packed-parts.ts'
export {
  cachedWeights,
  dropCachedWeights,
  weightCacheFolder,
  type CachedWeights,
  type WeightCacheOptions,
} from './packed/weight-cache.ts'
export { counterStream } from './generation/counter-random.ts'
export type {
  Completion,
  Finish,
  GenerateEvent,
  GenerateRequest,
  TokenLogprob,
  TokenUsage,
} from './generation/generate-request.ts'
export { cacheTypes, type CacheType } from './generation/cache-codec.ts'
export type { EngineOptions } from './generation/generation-engine.ts'
export { checkSamplingOptions, samplingProbabilities, type SamplingOptions } from './generation/sampler.ts'
export { checkpointInfo, isTensorFile, type CheckpointInfo } from './folder/checkpoint-info.ts'
export { composeModel, type ComposeOptions, type ComposeReport } from './folder/compose-model.ts'
export { convertModel, type ConvertOptions, type ConvertReport } from './folder/convert-model.ts'
export type { MemoryNeeds } from './folder/memory-needs.ts'
export { folderInfo, type FolderInfo } from './folder/folder-info.ts'
export {
  boxedLabels,
  boxesAndLabels,
  reasonedLabels,
  type BoxedLabelsOptions,
  type Grammar,
} from './grammar/grammar.ts'
export { loadAdapter, saveAdapter, type AdapterContent, type LoadedAdapter } from './lora/adapter-folder.ts'
export {
  initialFactors,
  loraAdapters,
  loraParameterSpecs,
  type LoraAdapters,
  type LoraOptions,
  type LoraTarget,
} from './lora/lora-adapters.ts'
export type { PolicyAdapters } from './lora/fed-adapters.ts'
export { loraLayers, type LoraBase } from './lora/lora-layers.ts'
export { mergedWeights, type MergedWeights } from './lora/merged-weights.ts'
export { LocalPolicy, type PackedPolicyOptions, type LocalPolicyOptions } from './policy/local-policy.ts'
export type { WeightsType } from './generation/decode-layers.ts'
export { mediaBatch, type MediaBatch, type PolicyEncoders } from './composition/media-batch.ts'
export {
  initialiseModel,
  loadFrozenModel,
  loadModel,
  type FrozenModel,
  type TrainableOptions,
  type WeightedModel,
} from './folder/model-weights.ts'
export { openModel, type OpenModel, type OpenModelOptions } from './folder/open-model.ts'
export {
  createPolicyModel,
  policyParameterSpecs,
  type PolicyModel,
  type PolicyModelOptions,
} from './composition/policy-model.ts'
export type { PolicyLoad } from './generation/policy-load.ts'
export type { GenerateOptions, Policy, PolicyInfo, Sequence } from './policy/policy.ts'
export {
  batchFeeds,
  createProgramCache,
  type CachedProgram,
  type GraphBuilder,
  type Keyed,
  type ProgramCache,
  type ProgramCacheOptions,
  type WeightShapes,
} from './programs/program-cache.ts'
export { saveModel, type SaveModelOptions } from './folder/save-model.ts'
export { scoringBatch, type ScoreBatch, type ScoreOptions } from './scoring/score-batch.ts'
export type { ScoredSequence } from './scoring/scored-sequence.ts'
export { writeEcgEmbeddings, type WriteEcgEmbeddingsOptions } from './arrays/write-ecg-embeddings.ts'
export { writeEmbeddings, type WriteEmbeddingsOptions } from './arrays/write-embeddings.ts'
export { writeLogits, type WriteLogitsOptions } from './arrays/write-logits.ts'
export { defaultChatTemplate, renderChat } from './prompt/chat-template.ts'
export {
  encodeMessages,
  type EncodeMessagesOptions,
  type MessageEncoder,
  type PromptEncoders,
} from './prompt/encode-messages.ts'
export type { Encoded } from './prompt/encoded.ts'
export type { ContentPart, Message } from './prompt/message.ts'
export {
  mropePositions,
  type MropeOptions,
  type MropePositions,
  type MropeRule,
} from './architectures/qwen2.5-vl/positions.ts'
export { createStreamDecoder, type StreamDecoder } from './tokenizer/stream-decoder.ts'
export { createTokenizer, type EncodeOptions, type Tokenizer } from './tokenizer/tokenizer.ts'
export { trainTokenizer, type TrainTokenizerOptions } from './tokenizer/train-tokenizer.ts'
export { modelPresetNames, nanoModel, presetModel, type ModelPreset, type NanoOptions } from './composition/nano.ts'
export { runPolicyThread, type PolicyThread } from './policy/thread/run-policy-thread.ts'
export { openThreadPolicy, type OpenThreadPolicyOptions, type ThreadPolicy } from './policy/thread/thread-policy.ts'
export { RemotePolicy, type RemoteUse } from './policy/remote/remote-policy.ts'
export type { RemotePolicyOptions } from './policy/remote/remote-options.ts'
export { rgbPng } from './policy/remote/png.ts'
export type { RemoteMedia } from './policy/remote/chat-body.ts'
export { labelProbabilities, type AnsweredLabels, type LabelScorer } from './policy/label-probabilities.ts'
export { labelShares, type ScoredCompletion } from './scoring/label-shares.ts'

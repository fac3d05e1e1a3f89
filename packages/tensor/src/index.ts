export { gradients } from './autodiff.ts'
export { compileGraph, type CompileOptions } from './compile-graph.ts'
export { memoryModes, type MemoryMode } from './memory/plan.ts'
export { dense, denseIndices, type Dense, type DenseData } from './dense.ts'
export { denseOps } from './ops/dense-ops.ts'
export { evaluateGraph } from './passes/evaluate-graph.ts'
export { tensorErrors } from './errors.ts'
export {
  createExecutor,
  deviceAliases,
  executorDevices,
  type CreateExecutorOptions,
  type ExecutorDevice,
} from './executors/create-executor.ts'
export type { Executor, ExecutorOptions, Feeds, Port, Program, RunOptions, ShapedArray } from './executors/executor.ts'
export { createOrtExecutor, type LoadOptions, type OrtExecutor, type OrtOptions } from './executors/ort.ts'
export type { OrtDevice } from './executors/ort-device.ts'
export type { TfjsBackend } from './executors/tfjs-backends.ts'
export { createTfjsExecutor, type TfjsExecutor, type TfjsOptions } from './executors/tfjs.ts'
export { describeGraph } from './passes/describe-graph.ts'
export { graphCost, type GraphCost } from './passes/graph-cost.ts'
export { graphOps } from './ops/graph-ops.ts'
export { Graph, type ExternalPlace, type GraphConstant, type GraphInput, type GraphNode } from './graph/graph.ts'
export { simplifyGraph } from './passes/simplify-graph.ts'
export { sizeOf, type DType, type Tensor, type TensorType, type TypedArray } from './graph/tensor.ts'
export {
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
  narrowFloat16,
  widenBfloat16,
  widenFloat16,
} from './half-precision.ts'
export { toOnnx } from './onnx/emit.ts'
export { encodeModel } from './onnx/encode-model.ts'
export type { OnnxInitializer, OnnxModel, OnnxNode, OnnxValue } from './onnx/onnx-model.ts'
export type { TableOps } from './ops/definition.ts'
export type { OnnxAttribute } from './ops/onnx-scope.ts'
export type {
  AttentionOptions,
  CachedAttentionOptions,
  MatmulOptions,
  Ops,
  PastAttentionOptions,
  PrefixAttentionOptions,
  QuantizedWeights,
  ReductionOptions,
  StoredMatrix,
  SwigluOptions,
  TokenLogprobs,
  TokenLogprobsOptions,
} from './ops/ops.ts'
export { createAdamW, isMatrix, type AdamW, type AdamWOptions, type AdamWState, type AdamWStep } from './optim/adamw.ts'
export { clipGradientNorm, clippingScale, gradientNorm } from './optim/gradient-norm.ts'
export {
  constantSchedule,
  cosineSchedule,
  linearSchedule,
  type FallingScheduleOptions,
  type LearningRateSchedule,
  type ScheduleOptions,
} from './optim/learning-rate.ts'
export { updateMovingAverage } from './optim/moving-average.ts'
export {
  createParameterStore,
  type Parameter,
  type ParameterShape,
  type ParameterStore,
  type ParameterStoreOptions,
  type StoreRegion,
} from './parameter-store.ts'

/** A tensor of TensorFlow.js, as far as the operations need it. */
export interface TfTensor {
  readonly shape: readonly number[]
  readonly dtype: string
  dataSync(): Float32Array | Int32Array | Uint8Array
  dispose(): void
}

type Unary = (x: TfTensor) => TfTensor
type Binary = (a: TfTensor | number, b: TfTensor | number) => TfTensor
type Reduction = (x: TfTensor, axis: number | readonly number[], keepDims?: boolean) => TfTensor

/**
 * The functions of TensorFlow.js that operations run with. `@tensorflow/tfjs-core` and everything built on it has them;
 * declared here, so that this package needs none of them to compile or to load.
 */
export interface Tf {
  readonly add: Binary
  readonly sub: Binary
  readonly mul: Binary
  readonly div: Binary
  readonly minimum: Binary
  readonly maximum: Binary
  readonly less: Binary
  readonly neg: Unary
  readonly exp: Unary
  readonly log: Unary
  readonly sqrt: Unary
  readonly rsqrt: Unary
  readonly abs: Unary
  readonly sigmoid: Unary
  readonly tanh: Unary
  readonly erf: Unary
  readonly reciprocal: Unary
  readonly softmax: Unary
  readonly logSoftmax: Unary
  readonly sum: Reduction
  readonly mean: Reduction
  readonly max: Reduction
  readonly where: (condition: TfTensor, a: TfTensor, b: TfTensor) => TfTensor
  readonly matMul: (a: TfTensor, b: TfTensor, transposeA?: boolean, transposeB?: boolean) => TfTensor
  readonly reshape: (x: TfTensor, shape: readonly number[]) => TfTensor
  readonly transpose: (x: TfTensor, permutation: readonly number[]) => TfTensor
  readonly concat: (parts: readonly TfTensor[], axis: number) => TfTensor
  readonly slice: (x: TfTensor, begin: readonly number[], size: readonly number[]) => TfTensor
  readonly pad: (x: TfTensor, paddings: readonly (readonly [number, number])[]) => TfTensor
  readonly broadcastTo: (x: TfTensor, shape: readonly number[]) => TfTensor
  readonly gather: (x: TfTensor, indices: TfTensor) => TfTensor
  readonly scatterND: (indices: TfTensor, updates: TfTensor, shape: readonly number[]) => TfTensor
  readonly tensor: (values: ArrayLike<number>, shape: readonly number[], dtype: string) => TfTensor
  readonly tidy: <Result>(compute: () => Result) => Result
  readonly memory: () => { readonly numTensors: number; readonly numBytes: number }
  readonly setBackend: (name: string) => Promise<boolean>
  readonly env: () => { set(flag: string, value: boolean): void }
}

import type { DType, TypedArray } from '../graph/tensor.ts'
import type { Port } from './executor.ts'

/** A tensor on its way to or from the worker. */
export interface TensorMessage {
  readonly dtype: DType
  readonly data: TypedArray
  readonly shape: readonly number[]
}

/** What ONNX Runtime is asked to keep to; the same settings give the same bits. */
export interface SessionSettings {
  readonly threads: number
  readonly device: string
  readonly optimization: 'none' | 'basic' | 'extended' | 'all'
  readonly keepsMemory: boolean
  /** Where a model that comes as bytes has the files of its constants. */
  readonly dataFolder?: string | undefined
  /** Whether the session's threads go on looking for work for a while after a run, which takes the processor from another session. */
  readonly spins: boolean
}

/** Asks the worker to start ONNX Runtime. */
export interface StartRequest {
  readonly type: 'start'
}

/** Asks the worker which devices ONNX Runtime was built for; answered by their names. */
export interface DevicesRequest {
  readonly type: 'devices'
}

/** Asks the worker to make a session; answered by `LoadAnswer`. */
export interface LoadRequest {
  readonly type: 'load'
  readonly program: number
  /** The model's bytes, or the path of its file, beside which its constants may lie. */
  readonly model: Uint8Array | string
  readonly externalData: readonly { readonly path: string; readonly data: Uint8Array }[]
  readonly settings: SessionSettings
}

/** Asks the worker to run a session; answered by `RunAnswer`. */
export interface RunRequest {
  readonly type: 'run'
  readonly program: number
  readonly feeds: Readonly<Record<string, TensorMessage>>
  readonly fetch: readonly string[]
  readonly into: Readonly<Record<string, TensorMessage>>
  readonly accumulate: Readonly<Record<string, Float32Array>>
}

/** Asks the worker to free a session. */
export interface ReleaseRequest {
  readonly type: 'release'
  readonly program: number
}

/** Asks the worker to free every session and to end. */
export interface StopRequest {
  readonly type: 'stop'
}

/** Everything the worker understands; it answers in the order of the requests. */
export type Request = StartRequest | DevicesRequest | LoadRequest | RunRequest | ReleaseRequest | StopRequest

/** The ports that a loaded model declares. */
export interface LoadAnswer {
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
}

/** The outputs of a run that are fetched. */
export type RunAnswer = Readonly<Record<string, TypedArray>>

/** The worker's answer to one request. */
export type Answer =
  | { readonly type: 'done'; readonly value: LoadAnswer | RunAnswer | readonly string[] | undefined }
  | { readonly type: 'failed'; readonly reason: string }

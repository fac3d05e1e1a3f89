import { resizeWasm } from './generated/resize-wasm.ts'

/** The part of JavaScript's `WebAssembly` that is used here; TypeScript declares it only for browsers. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: object }
}

/** What tooling/wasm/resize.wat exports; addresses in bytes. */
interface ResizeExports {
  readonly memory: { readonly buffer: ArrayBuffer; readonly grow: (pages: number) => number }
  readonly row: (src: number, dst: number, width: number, first: number, weights: number, groups: number) => void
  readonly column: (src: number, dst: number, stride: number, taps: number, weights: number) => void
}

/** For each output position: the first input position, how many follow, and their weights (rows of `size`). */
export interface Taps {
  readonly size: number
  readonly first: Int32Array
  readonly count: Int32Array
  readonly weights: Int32Array
}

/** One channel of a picture. */
export interface Plane {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
}

/** Taps that the row kernel reads together. */
const tapGroup = 8
const pageBytes = 65_536
/** Bytes that the kernels may read or write beyond a plane. */
const overrun = 64

let kernels: ResizeExports | undefined

/** Resamples the rows of a plane. */
export function resampleRows({ width, height, data }: Plane, outWidth: number, taps: Taps): Plane {
  const groups = Math.ceil(taps.size / tapGroup)
  const { row, place } = memoryFor([data.length, outWidth * height, outWidth * 4, outWidth * groups * tapGroup * 4])
  const [src = 0, dst = 0, first = 0, weights = 0] = place
  bytesAt(src, data.length).set(data)
  wordsAt(first, outWidth).set(taps.first)
  const padded = wordsAt(weights, outWidth * groups * tapGroup).fill(0)
  for (let x = 0; x < outWidth; x++)
    padded.set(taps.weights.subarray(x * taps.size, x * taps.size + taps.count[x]!), x * groups * tapGroup) // one count per position
  for (let y = 0; y < height; y++) row(src + y * width, dst + y * outWidth, outWidth, first, weights, groups)
  return { width: outWidth, height, data: bytesAt(dst, outWidth * height).slice() }
}

/** Resamples the columns of a plane. */
export function resampleColumns({ width, data }: Plane, outHeight: number, taps: Taps): Plane {
  const { column, place } = memoryFor([data.length, width * outHeight, outHeight * taps.size * 4])
  const [src = 0, dst = 0, weights = 0] = place
  bytesAt(src, data.length).set(data)
  wordsAt(weights, outHeight * taps.size).set(taps.weights)
  for (let y = 0; y < outHeight; y++)
    column(src + taps.first[y]! * width, dst + y * width, width, taps.count[y]!, weights + y * taps.size * 4) // one per row
  return { width, height: outHeight, data: bytesAt(dst, width * outHeight).slice() }
}

/** The kernels, with room for parts of the given lengths one behind the other. */
function memoryFor(lengths: readonly number[]): ResizeExports & { readonly place: readonly number[] } {
  kernels ??= start()
  const place: number[] = []
  let end = 0
  for (const length of lengths) {
    place.push(end)
    end += Math.ceil((length + overrun) / 16) * 16
  }
  const missing = end - kernels.memory.buffer.byteLength
  if (missing > 0) kernels.memory.grow(Math.ceil(missing / pageBytes))
  return { ...kernels, place }
}

function start(): ResizeExports {
  const { Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly // see above
  return new Instance(new Module(Buffer.from(resizeWasm, 'base64'))).exports as ResizeExports // declared in resize.wat
}

function bytesAt(at: number, length: number): Uint8Array {
  return new Uint8Array(kernels?.memory.buffer ?? new ArrayBuffer(0), at, length)
}

function wordsAt(at: number, length: number): Int32Array {
  return new Int32Array(kernels?.memory.buffer ?? new ArrayBuffer(0), at, length)
}

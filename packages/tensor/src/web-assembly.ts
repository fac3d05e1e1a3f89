/** Memory that WebAssembly code and JavaScript see alike; a page has 64 KiB. */
export interface WasmMemory {
  readonly buffer: SharedArrayBuffer
}

/** The part of JavaScript's `WebAssembly` that is used here; TypeScript declares it only for browsers. */
interface WebAssemblyApi {
  readonly Memory: new (pages: { initial: number; maximum: number; shared: true }) => WasmMemory
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> }
}

/** The largest memory that 32-bit addresses reach, in bytes. */
export const MAX_WASM_BYTES: number = 2 ** 32
const PAGE_BYTES = 2 ** 16

const { Memory, Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly // see above

const memories = new WeakMap<SharedArrayBuffer, WasmMemory>()

/** The memory that `sharedMemory` made for a buffer, if it did. */
export function memoryOf(buffer: ArrayBufferLike): WasmMemory | undefined {
  return buffer instanceof SharedArrayBuffer ? memories.get(buffer) : undefined
}

/** Makes a shared memory of at least `bytes`, all zero; it cannot grow. */
export function sharedMemory(bytes: number): WasmMemory {
  const pages = Math.max(1, Math.ceil(bytes / PAGE_BYTES))
  const memory = new Memory({ initial: pages, maximum: pages, shared: true })
  memories.set(memory.buffer, memory)
  return memory
}

/** Compiles a module that imports `env.memory`, and answers its exports. */
export function instantiate(code: Uint8Array, memory: WasmMemory): Readonly<Record<string, unknown>> {
  return new Instance(new Module(code), { env: { memory } }).exports
}

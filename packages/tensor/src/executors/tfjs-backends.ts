import { tensorErrors } from '../errors.ts'
import type { Tf } from '../ops/tf.ts'

/** A kernel library of TensorFlow.js: native on a GPU, native, WebAssembly, or plain JavaScript. */
export type TfjsBackend = 'node-gpu' | 'node' | 'wasm' | 'js'

/** The packages that make up a backend, and the name it registers. The first has the functions. */
const backends: Readonly<
  Record<TfjsBackend, { readonly packages: readonly [string, ...string[]]; readonly name: string }>
> = {
  'node-gpu': { packages: ['@tensorflow/tfjs-node-gpu'], name: 'tensorflow' },
  node: { packages: ['@tensorflow/tfjs-node'], name: 'tensorflow' },
  wasm: { packages: ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm'], name: 'wasm' },
  js: { packages: ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-cpu'], name: 'cpu' },
}

/** The order in which installed backends are chosen, the fastest first. */
export const tfjsBackends = Object.keys(backends) as readonly TfjsBackend[] // the keys of the table

/** A backend that is loaded. */
export interface LoadedTfjs {
  readonly tf: Tf
  readonly backend: TfjsBackend
  /** Makes TensorFlow.js, which has one backend at a time, compute with this one from now on. */
  readonly activate: () => void
}

/**
 * Loads the first of some backends that is installed.
 *
 * @param importPackage imports a module by its name
 * @throws TENSOR_RUNTIME_MISSING when none is, with the reason for each
 */
export async function loadTfjs(
  wanted: readonly TfjsBackend[],
  importPackage: (name: string) => Promise<unknown> = name => import(/* @vite-ignore */ name),
): Promise<LoadedTfjs> {
  const reasons: string[] = []
  for (const backend of wanted) {
    try {
      return await loaded(backend, importPackage)
    } catch (error) {
      reasons.push(`${backend}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`)
    }
  }
  const { packages } = backends[wanted.length === 1 ? wanted[0]! : 'wasm']
  throw tensorErrors.RUNTIME_MISSING({
    name: packages.join(' or '),
    reason: reasons.join('; '),
    install: packages.join(' '),
  })
}

async function loaded(backend: TfjsBackend, importPackage: (name: string) => Promise<unknown>): Promise<LoadedTfjs> {
  const { packages, name } = backends[backend]
  const tf = (await importPackage(packages[0])) as Tf // the package's own functions
  tf.env().set('PROD', true) // it prints advice otherwise
  for (const each of packages.slice(1)) await importPackage(each)
  if (!(await tf.setBackend(name))) throw new Error(`the backend ${name} did not start`)
  // A backend that has started is set before the call returns; the promise has nothing more to say.
  return { tf, backend, activate: () => void tf.setBackend(name) }
}

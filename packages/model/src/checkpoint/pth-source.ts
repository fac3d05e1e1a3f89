import { open, type FileHandle } from 'node:fs/promises'
import { modelErrors } from '../errors.ts'
import { readRange } from './file-range.ts'
import { widenBfloat16, widenFloat16 } from '@qoq-med/tensor'
import { readPickle } from './pickle.ts'
import {
  PickleCall,
  PickleDict,
  PickleGlobal,
  PicklePersistent,
  PickleTuple,
  type PickleValue,
} from './pickle-values.ts'
import type { StoredTensor, TensorSource } from './tensor-source.ts'
import { readZipEntries, type ZipEntry } from './zip-entries.ts'

/** Storage classes of PyTorch that can be read, with their bytes per element. */
const storages: Readonly<Record<string, { readonly dtype: string; readonly bytes: number }>> = {
  'torch.FloatStorage': { dtype: 'F32', bytes: 4 },
  'torch.DoubleStorage': { dtype: 'F64', bytes: 8 },
  'torch.HalfStorage': { dtype: 'F16', bytes: 2 },
  'torch.BFloat16Storage': { dtype: 'BF16', bytes: 2 },
  'torch.LongStorage': { dtype: 'I64', bytes: 8 },
  'torch.IntStorage': { dtype: 'I32', bytes: 4 },
  'torch.BoolStorage': { dtype: 'BOOL', bytes: 1 },
}
const rebuildTensor = 'torch._utils._rebuild_tensor_v2'
const rebuildParameter = 'torch._utils._rebuild_parameter'
const allowed = new Set([...Object.keys(storages), rebuildTensor, rebuildParameter, 'collections.OrderedDict'])

/** A pickle of a hundred bytes per tensor; weights lie outside it. */
const maxPickleBytes = 1 << 24
/** State dicts lie at most this deep: { encoder: { name: tensor } }. */
const maxDepth = 4

interface PthTensor extends StoredTensor {
  readonly entry: ZipEntry
  readonly bytes: number
  /** Elements of the storage before the first, and up to the last one used. */
  readonly offset: number
  readonly end: number
  readonly strides: readonly number[]
}

/**
 * Opens a PyTorch .pth or .pt file (the zip format of PyTorch 1.6 and later) for its tensors. Its pickle is read by a
 * restricted machine that executes nothing and knows tensors, dicts and plain values alone; names of nested dicts are joined
 * by dots.
 *
 * @throws MODEL_PTH_INVALID
 */
export async function openPth(path: string): Promise<TensorSource> {
  const fail = (problem: string): Error => modelErrors.PTH_INVALID({ file: path, problem })
  const handle = await open(path, 'r')
  try {
    const { size } = await handle.stat()
    const entries = await readZipEntries(handle, size, fail)
    const root = await readRoot(handle, entries, fail)
    const tensors = new Map<string, PthTensor>()
    collect(root.value, '', 0, { ...root, entries, tensors, fail })
    return {
      source: path,
      tensors,
      readFloat32: (name, target) => readTensor(handle, path, name, tensors.get(name), target),
      close: () => handle.close(),
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

type Fail = (problem: string) => Error

async function readRoot(
  handle: FileHandle,
  entries: ReadonlyMap<string, ZipEntry>,
  fail: Fail,
): Promise<{ value: PickleValue; folder: string }> {
  const pickle = [...entries.values()].find(entry => /^[^/]+\/data\.pkl$/.test(entry.name))
  if (pickle === undefined) throw fail('it holds no data.pkl')
  if (pickle.lengthBytes > maxPickleBytes) throw fail(`its pickle has ${pickle.lengthBytes} bytes`)
  const folder = pickle.name.slice(0, -'data.pkl'.length)
  const order = entries.get(`${folder}byteorder`)
  if (order && order.lengthBytes < 16) {
    const text = new TextDecoder().decode(await readRange(handle, order.startByte, order.lengthBytes))
    if (text !== 'little') throw fail(`its byte order is ${JSON.stringify(text)}`)
  }
  const bytes = await readRange(handle, pickle.startByte, pickle.lengthBytes)
  return { value: readPickle(bytes, name => allowed.has(name), fail), folder }
}

interface Collection {
  readonly folder: string
  readonly entries: ReadonlyMap<string, ZipEntry>
  readonly tensors: Map<string, PthTensor>
  readonly fail: Fail
}

/** Gathers the tensors of nested dicts. Entries that are no tensors (an epoch, options) are passed over. */
function collect(value: PickleValue, prefix: string, depth: number, into: Collection): void {
  if (value instanceof PickleDict) {
    if (depth === maxDepth) throw into.fail(`its dicts are nested more than ${maxDepth} deep`)
    for (const [key, item] of value.entries) {
      if (typeof key === 'string') collect(item, prefix === '' ? key : `${prefix}.${key}`, depth + 1, into)
    }
  } else if (value instanceof PickleCall) {
    if (into.tensors.has(prefix)) throw into.fail(`it has the tensor ${prefix} twice`)
    // Each entry's tensor is small in the pickle, and a dict that occurs in many places could still give millions.
    if (into.tensors.size >= into.entries.size * 16) throw into.fail('it has far more tensors than data')
    into.tensors.set(prefix, tensorOf(value, prefix, into))
  }
}

function tensorOf(call: PickleCall, name: string, into: Collection): PthTensor {
  if (call.callee === rebuildParameter && call.args[0] instanceof PickleCall) return tensorOf(call.args[0], name, into)
  const [storage, offset, shape, strides] = call.args
  const sizes = [shape, strides].map(each => countsOf(each))
  if (
    call.callee !== rebuildTensor ||
    !(storage instanceof PicklePersistent) ||
    !isCount(offset) ||
    !sizes[0] ||
    !sizes[1]
  ) {
    throw into.fail(`the tensor ${name} is not described as PyTorch does`)
  }
  const { entry, dtype, bytes } = storageOf(storage, name, into)
  const [lengths, steps] = sizes as [number[], number[]] // just checked
  const last = lengths.includes(0)
    ? -1
    : lengths.reduce((at, length, i) => at + (length - 1) * (steps[i] ?? NaN), offset)
  const end = Math.max(offset, last + 1)
  const isInside = lengths.length === steps.length && end * bytes <= entry.lengthBytes
  // Strides of 0 would let a small storage claim a huge tensor.
  const count = lengths.reduce((product, length) => product * length, 1)
  if (!isInside || count * bytes > entry.lengthBytes) {
    throw into.fail(`the tensor ${name} [${lengths.join(', ')}] reaches beyond its ${entry.lengthBytes} bytes`)
  }
  return { shape: lengths, dtype, entry, bytes, offset, end, strides: steps }
}

function storageOf(
  { id }: PicklePersistent,
  name: string,
  { folder, entries, fail }: Collection,
): { entry: ZipEntry; dtype: string; bytes: number } {
  const [tag, type, key] = id instanceof PickleTuple ? id.items : []
  const storage = type instanceof PickleGlobal && Object.hasOwn(storages, type.name) ? storages[type.name] : undefined
  const entry = typeof key === 'string' ? entries.get(`${folder}data/${key}`) : undefined
  if (tag !== 'storage' || storage === undefined || entry === undefined)
    throw fail(`the data of tensor ${name} are missing`)
  return { entry, ...storage }
}

function countsOf(value: PickleValue | undefined): number[] | undefined {
  const items = value instanceof PickleTuple ? value.items : undefined
  return items?.every(isCount) ? (items as number[]) : undefined // each is a number
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

async function readTensor(
  handle: FileHandle,
  file: string,
  name: string,
  tensor: PthTensor | undefined,
  target?: Float32Array,
): Promise<Float32Array> {
  if (tensor === undefined) throw modelErrors.TENSOR_MISSING({ source: file, tensor: name, shape: [] })
  const values = await readElements(handle, file, name, tensor)
  const result = target ?? new Float32Array(tensor.shape.reduce((size, length) => size * length, 1))
  copyStrided(values, result, tensor)
  return result
}

/** Reads the part of a storage that a tensor uses. */
async function readElements(
  handle: FileHandle,
  file: string,
  tensor: string,
  { entry, dtype, bytes: width, offset, end }: PthTensor,
): Promise<Float32Array> {
  const bytes = await readRange(handle, entry.startByte + offset * width, (end - offset) * width)
  if (dtype === 'F32') return new Float32Array(bytes.buffer)
  if (dtype === 'F64') return Float32Array.from(new Float64Array(bytes.buffer))
  const widen = { BF16: widenBfloat16, F16: widenFloat16 }[dtype]
  if (widen === undefined) throw modelErrors.DTYPE_UNSUPPORTED({ file, tensor, dtype, wanted: 'a floating-point type' })
  const values = new Float32Array(bytes.length / 2)
  widen(new Uint16Array(bytes.buffer), values)
  return values
}

/** Copies a view with strides into row-major order. */
function copyStrided(values: Float32Array, result: Float32Array, { shape, strides }: PthTensor): void {
  const index = shape.map(() => 0)
  let at = 0
  for (let i = 0; i < result.length; i++) {
    result[i] = values[at]!
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!
      if (++index[axis]! < shape[axis]!) break
      at -= strides[axis]! * shape[axis]!
      index[axis] = 0
    }
  }
}

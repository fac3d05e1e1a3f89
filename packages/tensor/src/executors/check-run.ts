import { nearestName } from '@qoq-med/errors'
import { tensorErrors } from '../errors.ts'
import { sizeOf, typedArrays, type DType, type TypedArray } from '../graph/tensor.ts'
import type { Feeds, Port, RunOptions, ShapedArray } from './executor.ts'
import type { RunRequest, TensorMessage } from './ort-messages.ts'
import { withoutSurroundings } from './worker-channel.ts'

type Checked = Pick<RunRequest, 'feeds' | 'fetch' | 'into' | 'accumulate'>

/**
 * Checks a run's values against a program's ports.
 *
 * @throws TENSOR_FEED with the name, what is expected and what was found
 */
export function checkRun(
  inputs: readonly Port[],
  outputs: readonly Port[],
  feeds: Feeds,
  options: RunOptions,
): Checked {
  const { into = {}, accumulate = {} } = options
  const fetch =
    options.fetch ??
    outputs.map(port => port.name).filter(name => !(Object.hasOwn(into, name) || Object.hasOwn(accumulate, name)))
  for (const name of Object.keys(feeds)) portOf(inputs, name, 'input')
  return {
    feeds: Object.fromEntries(inputs.map(port => [port.name, feedOf(port, feeds[port.name])])),
    fetch: fetch.map(name => portOf(outputs, name, 'output').name),
    into: mapped(into, (name, data) => targetOf(portOf(outputs, name, 'output'), data)),
    accumulate: mapped(accumulate, (name, data) => sumsOf(portOf(outputs, name, 'output'), data)),
  }
}

function mapped<From, To>(
  record: Readonly<Record<string, From>>,
  map: (name: string, value: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(name, value)]))
}

function portOf(ports: readonly Port[], name: string, kind: 'input' | 'output'): Port {
  const port = ports.find(candidate => candidate.name === name)
  if (port !== undefined) return port
  const names = ports.map(candidate => candidate.name)
  const nearest = nearestName(name, names)
  const expected = nearest === undefined ? `one of the ${kind}s ${names.join(', ')}` : `the ${kind} "${nearest}"`
  throw tensorErrors.FEED({ name, expected, found: `no ${kind} of that name` })
}

function feedOf(port: Port, feed: TypedArray | ShapedArray | undefined): TensorMessage {
  if (feed === undefined) throw tensorErrors.FEED({ name: port.name, expected: expectation(port), found: 'nothing' })
  const { data, shape } = 'shape' in feed ? feed : { data: feed, shape: port.shape }
  const fits =
    shape.length === port.shape.length &&
    shape.every((length, axis) => length >= 0 && (port.shape[axis] === -1 || length === port.shape[axis]))
  if (!fits) {
    const found = 'shape' in feed ? `the shape [${shape.join(', ')}]` : 'an array without a shape'
    throw tensorErrors.FEED({ name: port.name, expected: expectation(port), found })
  }
  return { dtype: port.dtype, data: withoutSurroundings(checkedArray(port, data, shape)), shape }
}

function targetOf(port: Port, target: TypedArray | ShapedArray): TensorMessage {
  const { dtype, data, shape } = feedOf(port, target)
  return { dtype, data: onSharedMemory(port, data), shape }
}

function sumsOf(port: Port, data: Float32Array): Float32Array {
  if (port.dtype !== 'float32')
    throw tensorErrors.FEED({ name: port.name, expected: 'a float32 output to add up', found: port.dtype })
  targetOf(port, data)
  return data
}

function checkedArray(port: Port, data: TypedArray, shape: readonly number[]): TypedArray {
  if (data instanceof typedArrays[port.dtype] && data.length === sizeOf(shape)) return data
  const found = `${data.constructor.name} of length ${data.length}`
  throw tensorErrors.FEED({ name: port.name, expected: expectation({ ...port, shape }), found })
}

function onSharedMemory(port: Port, data: TypedArray): TypedArray {
  if (data.buffer instanceof SharedArrayBuffer) return data
  const found = 'an array on memory of its own'
  throw tensorErrors.FEED({ name: port.name, expected: 'an array on a SharedArrayBuffer', found })
}

function expectation({ dtype, shape }: { dtype: DType; shape: readonly number[] }): string {
  const lengths = shape.map(length => (length === -1 ? 'any' : String(length)))
  const size = shape.includes(-1) ? '' : ` with ${sizeOf(shape)} elements`
  return `a ${typedArrays[dtype].name} [${lengths.join(', ')}]${size}`
}

import { open, type FileHandle } from 'node:fs/promises'
import { sizeOf } from '@qoq-med/tensor'
import { ggufArchitecture } from '../architectures/architectures.ts'
import { rotatedHeads, separatePairs, storedRow } from '../architectures/llama/gguf-rows.ts'
import { modelErrors } from '../errors.ts'
import { fillRange } from './file-range.ts'
import { codedTypes, readCodes } from './gguf-codes.ts'
import { readGgufHeader, type GgufHeader, type GgufTensor } from './gguf-header.ts'
import type { DecoderConfig } from '../decoder/decoder-config.ts'
import type { TensorSource } from './tensor-source.ts'

/** An open GGUF file: its metadata, and its tensors under the names of a Hugging Face checkpoint. */
export interface GgufFile {
  readonly path: string
  readonly metadata: GgufHeader['metadata']
  /** The stored shape of a tensor by its own name, or undefined. */
  shapeOf(name: string): readonly number[] | undefined
  /**
   * The tensors under the names used here.
   *
   * @param decoder sizes; llama files store the rows of query and key projections in another order
   */
  source(decoder: DecoderConfig): TensorSource
  /** The tensors under their own names. */
  rawSource(): TensorSource
  close(): Promise<void>
}

/** Opens a GGUF file and checks its header. @throws MODEL_GGUF_INVALID */
export async function openGguf(path: string): Promise<GgufFile> {
  const handle = await open(path, 'r')
  try {
    const { size } = await handle.stat()
    const header = await readGgufHeader(handle, size, problem => modelErrors.GGUF_INVALID({ file: path, problem }))
    const byName = new Map(header.tensors.map(tensor => [tensor.name, tensor]))
    return {
      path,
      metadata: header.metadata,
      shapeOf: name => byName.get(name)?.shape,
      source: decoder => ggufSource(handle, path, header, decoder),
      rawSource: () => ggufSource(handle, path, header),
      close: () => handle.close(),
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

function ggufSource(
  handle: FileHandle,
  path: string,
  { metadata, tensors }: GgufHeader,
  decoder?: DecoderConfig,
): TensorSource {
  const renamed = new Map(tensors.map(tensor => [decoder ? checkpointName(tensor.name) : tensor.name, tensor]))
  if (renamed.size < tensors.length)
    throw modelErrors.GGUF_INVALID({ file: path, problem: 'it has a tensor twice, under two names' })
  const isInterleaved = ggufArchitecture(String(metadata.get('general.architecture')))?.ggufInterleaves === true
  const tensorOf = (name: string): GgufTensor => {
    const tensor = renamed.get(name)
    if (tensor === undefined) throw modelErrors.TENSOR_MISSING({ source: path, tensor: name, shape: [] })
    return tensor
  }
  /** Calls for runs of rows that follow each other in the file: `rows` from stored row `from`, that go to row `at` of what is wanted. */
  const eachRun = async (
    name: string,
    start: number,
    rows: number,
    read: (from: number, rows: number, at: number) => Promise<void>,
  ): Promise<void> => {
    if (!decoder || !isInterleaved || rotatedHeads(name, decoder) === undefined) return read(start, rows, 0)
    for (let at = 0; at < rows; at++) await read(storedRow(start + at, decoder.headDim), 1, at)
  }
  return {
    source: path,
    tensors: new Map(Array.from(renamed, ([name, { shape, type }]) => [name, { shape, dtype: type.name }])),
    async readFloat32(name, target) {
      const values = await readTensor(handle, tensorOf(name), target)
      const heads = decoder && isInterleaved ? rotatedHeads(name, decoder) : undefined
      if (decoder && heads !== undefined) separatePairs(values, heads, decoder.headDim)
      return values
    },
    async readRows(name, start, target) {
      const tensor = tensorOf(name)
      const rowSize = sizeOf(tensor.shape.slice(1))
      await eachRun(name, start, target.length / rowSize, async (from, rows, at) => {
        const part = partOf(tensor, from * rowSize, rows * rowSize)
        await readTensor(handle, part, target.subarray(at * rowSize, (at + rows) * rowSize))
      })
    },
    async readCodes(name, start, rows) {
      const tensor = tensorOf(name)
      const rowBytes = (sizeOf(tensor.shape.slice(1)) / tensor.type.blockElements) * tensor.type.blockBytes
      const bytes = new Uint8Array(rows * rowBytes)
      await eachRun(name, start, rows, async (from, count, at) => {
        const own = bytes.subarray(at * rowBytes, (at + count) * rowBytes)
        await fillRange(handle, own, tensor.startByte + from * rowBytes)
      })
      return readCodes(codedTypes[tensor.type.name]!, bytes) // the caller asks for types of the table
    },
    close: () => handle.close(),
  }
}

/** Some elements of a tensor, which begin and end at blocks. */
function partOf(tensor: GgufTensor, start: number, count: number): GgufTensor {
  const { blockBytes, blockElements } = tensor.type
  const [startByte, lengthBytes] = [start, count].map(each => (each / blockElements) * blockBytes) as [number, number] // two in
  return { ...tensor, startByte: tensor.startByte + startByte, lengthBytes }
}

/** GGUF's names of a layer's tensors and those of a Hugging Face checkpoint. */
const layerNames: Readonly<Record<string, string>> = {
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
}
const otherNames: Readonly<Record<string, string>> = {
  'token_embd.weight': 'model.embed_tokens.weight',
  'output_norm.weight': 'model.norm.weight',
  'output.weight': 'lm_head.weight',
}

/** A name that has no counterpart stays, and is reported as unexpected. */
function checkpointName(name: string): string {
  const [, layer, part, kind] = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(name) ?? []
  const known = part !== undefined && Object.hasOwn(layerNames, part) ? layerNames[part] : undefined
  return known === undefined
    ? ((Object.hasOwn(otherNames, name) ? otherNames[name] : undefined) ?? name)
    : `model.layers.${layer}.${known}.${kind}`
}

/** Bytes decoded at a time, so that a large tensor is never in memory twice. */
const chunkBytes = 1 << 22

async function readTensor(handle: FileHandle, tensor: GgufTensor, target?: Float32Array): Promise<Float32Array> {
  const { type, startByte, lengthBytes } = tensor
  const values = target ?? new Float32Array((lengthBytes / type.blockBytes) * type.blockElements)
  const chunk = new Uint8Array(Math.min(lengthBytes, Math.floor(chunkBytes / type.blockBytes) * type.blockBytes))
  for (let start = 0; start < lengthBytes; start += chunk.length) {
    const part = chunk.subarray(0, Math.min(chunk.length, lengthBytes - start))
    await fillRange(handle, part, startByte + start)
    const first = (start / type.blockBytes) * type.blockElements
    type.decode(part, values.subarray(first, first + (part.length / type.blockBytes) * type.blockElements))
  }
  return values
}

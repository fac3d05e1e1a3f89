import type { VisionConfig } from '@qoq-med/encoders'
import { sizeOf } from '@qoq-med/tensor'
import type { StoredCodes } from './gguf-codes.ts'
import type { GgufFile } from './gguf-source.ts'
import type { StoredTensor, TensorSource } from './tensor-source.ts'

/** Where a tensor of ours comes from: tensors of the file, joined along their rows, or frames of the patch kernel. */
interface Origin {
  readonly parts: readonly string[]
  readonly isKernel?: boolean
}

/** The tensors of llama.cpp's tower under the names of a Hugging Face checkpoint. */
export function mmprojSource(file: GgufFile, vision: VisionConfig): TensorSource {
  const own = file.rawSource()
  const origins = originsOf(file, vision)
  const used = new Set([...origins.values()].flatMap(({ parts }) => parts))
  const left = [...own.tensors.keys()].filter(name => !used.has(name))
  const tensors = new Map<string, StoredTensor>([
    ...Array.from(origins, ([name, origin]) => [name, joined(own, origin)] as const),
    // What has no counterpart is reported as unexpected.
    ...left.map(name => [name, own.tensors.get(name)!] as const),
  ])
  const readRows = async (name: string, start: number, target: Float32Array): Promise<void> => {
    const origin = origins.get(name)!
    if (origin.isKernel) {
      const first = start * rowSizeOf(name)
      target.set((await kernel(own, origin, vision)).subarray(first, first + target.length))
      return
    }
    for (const { part, from, rows, at } of rowsOf(own, origin, start, target.length / rowSizeOf(name)))
      await own.readRows!(part, from, target.subarray(at * rowSizeOf(name), (at + rows) * rowSizeOf(name))) // GGUF has it
  }
  const rowSizeOf = (name: string): number => sizeOf(tensors.get(name)!.shape.slice(1))
  return {
    source: file.path,
    tensors,
    readRows,
    async readFloat32(name, target) {
      const values = target ?? new Float32Array(sizeOf(tensors.get(name)!.shape))
      await readRows(name, 0, values)
      return values
    },
    async readCodes(name, start, rows) {
      const runs = rowsOf(own, origins.get(name)!, start, rows)
      return joinedCodes(await Promise.all(runs.map(each => own.readCodes!(each.part, each.from, each.rows)))) // GGUF has it
    },
    close: () => own.close(),
  }
}

/** Our names and the file's. */
function originsOf(file: GgufFile, { depth, hiddenSize }: VisionConfig): Map<string, Origin> {
  const origins = new Map<string, Origin>()
  const has = (name: string): boolean => file.shapeOf(name) !== undefined
  const add = (name: string, ...parts: readonly string[]): void => {
    for (const kind of ['weight', 'bias'])
      if (parts.every(part => has(`${part}.${kind}`)))
        origins.set(`visual.${name}.${kind}`, { parts: parts.map(part => `${part}.${kind}`) })
  }
  for (let block = 0; block < depth; block++) {
    const [ours, theirs] = [`blocks.${block}`, `v.blk.${block}`]
    add(`${ours}.norm1`, `${theirs}.ln1`)
    add(`${ours}.norm2`, `${theirs}.ln2`)
    const isJoined = has(`${theirs}.attn_qkv.weight`)
    add(
      `${ours}.attn.qkv`,
      ...(isJoined ? [`${theirs}.attn_qkv`] : ['q', 'k', 'v'].map(part => `${theirs}.attn_${part}`)),
    )
    add(`${ours}.attn.proj`, `${theirs}.attn_out`)
    add(`${ours}.mlp.gate_proj`, `${theirs}.ffn_gate`)
    // The product that ends the MLP has `hiddenSize` rows, whatever its name.
    const isSwapped = file.shapeOf(`${theirs}.ffn_up.weight`)?.[0] === hiddenSize
    add(`${ours}.mlp.up_proj`, `${theirs}.${isSwapped ? 'ffn_down' : 'ffn_up'}`)
    add(`${ours}.mlp.down_proj`, `${theirs}.${isSwapped ? 'ffn_up' : 'ffn_down'}`)
  }
  add('merger.ln_q', 'v.post_ln')
  add('merger.mlp.0', 'mm.0')
  add('merger.mlp.2', 'mm.2')
  const frames = ['v.patch_embd.weight', 'v.patch_embd.weight.1'].filter(has)
  origins.set('visual.patch_embed.proj.weight', { parts: frames, isKernel: true })
  return origins
}

function joined(source: TensorSource, { parts, isKernel = false }: Origin): StoredTensor {
  const stored = parts.map(part => source.tensors.get(part)!)
  const { dtype: own, shape = [] } = stored[0] ?? {}
  // Parts of several types are read as float32.
  const dtype = own !== undefined && stored.every(each => each.dtype === own) ? own : 'F32'
  const [first = 0, ...rest] = shape
  if (isKernel) return { dtype, shape: [first, rest[0] ?? 0, parts.length, ...rest.slice(1)] }
  return { dtype, shape: [stored.reduce((sum, each) => sum + each.shape[0]!, 0), ...rest] }
}

/** The rows of a joined tensor by the parts they lie in. */
function rowsOf(
  own: TensorSource,
  { parts }: Origin,
  start: number,
  rows: number,
): { part: string; from: number; rows: number; at: number }[] {
  let first = 0
  return parts.flatMap(part => {
    const count = own.tensors.get(part)!.shape[0]!
    const [from, to] = [Math.max(start, first), Math.min(start + rows, first + count)]
    first += count
    return from < to ? [{ part, from: from - (first - count), rows: to - from, at: from - start }] : []
  })
}

/** The kernel [D, channels, frames, patch, patch] from one [D, channels, patch, patch] per frame. */
async function kernel(own: TensorSource, { parts }: Origin, { patchSize }: VisionConfig): Promise<Float32Array> {
  const frames = await Promise.all(parts.map(part => own.readFloat32(part)))
  const area = patchSize ** 2
  const values = new Float32Array(frames.reduce((sum, frame) => sum + frame.length, 0))
  frames.forEach((frame, f) => {
    for (let channel = 0; channel < frame.length / area; channel++)
      values.set(frame.subarray(channel * area, (channel + 1) * area), (channel * frames.length + f) * area)
  })
  return values
}

function joinedCodes(all: readonly StoredCodes[]): StoredCodes {
  const corrections = all.flatMap(each => each.corrections ?? [])
  return {
    codes: Uint8Array.from(Buffer.concat(all.map(each => each.codes))),
    scales: Float32Array.from(all.flatMap(each => [...each.scales])),
    ...(corrections.length > 0 && { corrections: Float32Array.from(corrections.flatMap(each => [...each])) }),
  }
}

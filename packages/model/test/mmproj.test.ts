import { createOrtExecutor } from '@qoq-med/tensor'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ggufMetadata, ggufName } from '../src/checkpoint/gguf-model.testing.ts'
import { ggufBytes, type GgufTensorToWrite, type GgufValueToWrite } from '../src/checkpoint/gguf.testing.ts'
import { LocalPolicy } from '../src/policy/local-policy.ts'
import { loadFrozenModel } from '../src/folder/model-weights.ts'
import { testImage } from '../src/composition/nano.testing.ts'
import { openModel } from '../src/folder/open-model.ts'
import { openPackedModel } from '../src/folder/packed-model.ts'

const fixture = fileURLToPath(new URL('../fixtures/qwen25vl_tiny_hub_sharded_bf16', import.meta.url))

/** How llama.cpp's scripts wrote towers over time. */
interface Generation {
  readonly name: string
  /** The old script swapped the names of the MLP's products and wrote sizes of 0. */
  readonly isOld: boolean
  readonly joinsQkv: boolean
}

const generations: readonly Generation[] = [
  { name: 'the old script', isOld: true, joinsQkv: false },
  { name: 'the converter', isOld: false, joinsQkv: false },
  { name: 'the converter that joins queries, keys and values', isOld: false, joinsQkv: true },
]

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'mmproj-'))
})
afterEach(() => rm(root, { recursive: true }))

function floats(name: string, shape: readonly number[], values: Float32Array): GgufTensorToWrite {
  return { name, shape, data: new Uint8Array(values.slice().buffer) }
}

type Loaded = Awaited<ReturnType<typeof loadFrozenModel>>

function towerTensors({ model, weights }: Loaded, { isOld, joinsQkv }: Generation): GgufTensorToWrite[] {
  const renamed: Record<string, string> = {
    norm1: 'ln1',
    norm2: 'ln2',
    'attn.qkv': 'attn_qkv',
    'attn.proj': 'attn_out',
    'mlp.gate_proj': 'ffn_gate',
    'mlp.up_proj': isOld ? 'ffn_down' : 'ffn_up',
    'mlp.down_proj': isOld ? 'ffn_up' : 'ffn_down',
  }
  const others: Record<string, string> = { 'merger.ln_q': 'v.post_ln', 'merger.mlp.0': 'mm.0', 'merger.mlp.2': 'mm.2' }
  return model.parameters.flatMap(({ name, shape }): GgufTensorToWrite[] => {
    if (!name.startsWith('visual.')) return []
    const values = weights(name)
    if (name.includes('patch_embed')) {
      const [outer, channels, frames, side] = shape as [number, number, number, number]
      const area = side * side
      return Array.from({ length: frames }, (_, frame) => {
        const own = Float32Array.from({ length: values.length / frames }, (_unused, i) => {
          const [kernel, pixel] = [Math.floor(i / area), i % area]
          return values[(kernel * frames + frame) * area + pixel]!
        })
        return floats(`v.patch_embd.weight${frame === 0 ? '' : '.1'}`, [outer, channels, side, side], own)
      })
    }
    const [, block, part, kind] = /^visual\.(?:blocks\.(\d+)\.)?(.*)\.(weight|bias)$/.exec(name)!
    const to = block === undefined ? others[part!]! : `v.blk.${block}.${renamed[part!]!}`
    if (part !== 'attn.qkv' || joinsQkv) return [floats(`${to}.${kind}`, shape, values)]
    return ['q', 'k', 'v'].map((letter, i) => {
      const size = values.length / 3
      const own = values.subarray(i * size, (i + 1) * size)
      return floats(`v.blk.${block}.attn_${letter}.${kind}`, [shape[0]! / 3, ...shape.slice(1)], own)
    })
  })
}

async function writeFiles(loaded: Loaded, generation: Generation): Promise<string> {
  const { model, weights } = loaded
  const { decoder, vision } = model.config
  const language = Object.fromEntries(
    Object.entries(ggufMetadata).map(([key, value]) => [key.replace('qwen2.', 'qwen2vl.'), value]),
  )
  const metadata: Record<string, GgufValueToWrite> = {
    ...language,
    'general.architecture': 'qwen2vl',
    'qwen2vl.block_count': decoder.numLayers,
    'qwen2vl.embedding_length': decoder.hiddenSize,
    'qwen2vl.feed_forward_length': decoder.intermediateSize,
    'qwen2vl.attention.head_count': decoder.numHeads,
    'qwen2vl.attention.head_count_kv': decoder.numKvHeads,
    'qwen2vl.rope.dimension_sections': [...decoder.mropeSection!, 0],
    'tokenizer.ggml.tokens': ['<|im_end|>', 'a', 'b', 'ab', '<|vision_start|>', '<|image_pad|>', '<|vision_end|>'],
    'tokenizer.ggml.token_type': [3, 1, 1, 1, 3, 3, 3],
  }
  const tower: Record<string, GgufValueToWrite> = {
    'general.architecture': 'clip',
    'clip.projector_type': 'qwen2.5vl_merger',
    'clip.vision.block_count': vision!.depth,
    'clip.vision.embedding_length': vision!.hiddenSize,
    'clip.vision.feed_forward_length': generation.isOld ? 0 : vision!.intermediateSize,
    'clip.vision.projection_dim': generation.isOld ? 0 : decoder.hiddenSize,
    'clip.vision.attention.head_count': vision!.numHeads,
    'clip.vision.patch_size': vision!.patchSize,
    'clip.vision.window_size': vision!.windowSize,
    ...(generation.isOld
      ? { 'clip.vision.fullatt_block_indexes': [...vision!.fullattBlockIndexes] }
      : { 'clip.vision.n_wa_pattern': vision!.fullattBlockIndexes[0]! + 1 }),
  }
  const file = join(root, 'model-Q8.gguf')
  const tensors = model.parameters
    .filter(({ name }) => !name.startsWith('visual.'))
    .map(({ name, shape }) => floats(ggufName(name), shape, weights(name)))
  await writeFile(file, ggufBytes(metadata, tensors))
  await writeFile(join(root, 'mmproj-model-f16.gguf'), ggufBytes(tower, towerTensors(loaded, generation)))
  return file
}

describe('a vision tower in a GGUF file beside its language model', () => {
  test.for(generations)('as $name wrote it has the weights and sizes of the checkpoint', async generation => {
    const want = await loadFrozenModel(fixture)
    const file = await writeFiles(want, generation)
    const got = await loadFrozenModel(file)
    const { fullattBlockIndexes: _, ...sizes } = want.model.config.vision!
    expect(got.model.config.vision).toMatchObject(sizes)
    expect(got.model.parameters.map(({ name }) => name)).toEqual(want.model.parameters.map(({ name }) => name))
    for (const { name } of want.model.parameters) expect([name, got.weights(name)]).toEqual([name, want.weights(name)])
  })

  test('gives packed the tokens of the checkpoint’s tower', async () => {
    const loaded = await loadFrozenModel(fixture)
    const file = await writeFiles(loaded, generations[0]!)
    const executor = await createOrtExecutor()
    const want = new LocalPolicy({ ...loaded, executor })
    const packed = await openPackedModel(file, { weightsType: 'float32', cache: { folder: join(root, 'cache') } })
    const got = new LocalPolicy({ packed, executor })
    const { vision } = loaded.model.encoders
    const batch = vision!.batch([vision!.preprocess(testImage(56, 84))])
    const [a, b] = [await want.embed(batch), await got.embed(batch)]
    a.forEach((value, i) => expect(b[i]).toBeCloseTo(value, 4))
    await want.close()
    await got.close()
    await packed.close()
    await executor.close()
  })

  test('must be one, and fit', async () => {
    const loaded = await loadFrozenModel(fixture)
    const file = await writeFiles(loaded, generations[1]!)
    await writeFile(join(root, 'other-mmproj.gguf'), ggufBytes({}, []))
    await expect(openModel(file)).rejects.toMatchObject({ code: 'MODEL_FOLDER_INVALID' })
    await rm(join(root, 'mmproj-model-f16.gguf'))
    await expect(openModel(file)).rejects.toMatchObject({ code: 'MODEL_CONFIG_UNSUPPORTED' })
  })
})

import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createOrtExecutor, type OrtExecutor } from '@qoq-med/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ggufMetadata, tensorsOfFixture } from '../src/checkpoint/gguf-model.testing.ts'
import { ggufBytes } from '../src/checkpoint/gguf.testing.ts'
import { writeSafetensors, type TensorToWrite } from '../src/checkpoint/safetensors-writer.ts'
import { loadAdapter, saveAdapter } from '../src/lora/adapter-folder.ts'
import { convertModel } from '../src/folder/convert-model.ts'
import { loadModel } from '../src/folder/model-weights.ts'
import { testImage, testModel } from '../src/composition/nano.testing.ts'
import { saveModel } from '../src/folder/save-model.ts'
import { writeLogits } from '../src/arrays/write-logits.ts'
import { openPolicy } from './parity.ts'
import { missingPeft, missingTransformers, python } from './python-with-torch.ts'

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))
const script = resolve(import.meta.dirname, '../../../tooling/oracles/compare_with_transformers.py')
const [text, vision] = ['qwen2_text_sharded_bf16', 'qwen25vl_tiny_hub_sharded_bf16'].map(fixture) as [string, string] // two

let root: string
let executor: OrtExecutor
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'transformers-'))
  executor = await createOrtExecutor()
})
afterAll(async () => {
  await executor.close()
  await rm(root, { recursive: true })
})

/** A place in this run's folder. */
function at(name: string): string {
  return join(root, name)
}

/** Inputs of a model: tokens, and a picture for one that sees. */
async function inputsFor(folder: string): Promise<TensorToWrite[]> {
  const { model } = await loadModel(folder)
  const content = [
    ...(model.config.vision ? [{ type: 'image', image: testImage(60, 80) } as const] : []),
    { type: 'text', text: 'abb' } as const,
  ]
  const { tokenIds, vision: pictures } = model.encode([{ role: 'user', content }])
  const ids = BigInt64Array.from(tokenIds, BigInt)
  const pixels = pictures.flatMap(({ pixelValues, gridThw }): TensorToWrite[] => [
    {
      name: 'pixel_values',
      shape: [gridThw[0] * gridThw[1] * gridThw[2], pixelValues.length / (gridThw[0] * gridThw[1] * gridThw[2])],
      data: pixelValues,
    },
    { name: 'image_grid_thw', shape: [1, 3], data: BigInt64Array.from(gridThw, BigInt) },
  ])
  return [{ name: 'input_ids', shape: [1, ids.length], data: ids }, ...pixels]
}

/** Our logits of a folder; answers what the script is called with. */
async function compared(folder: string, given = folder): Promise<string[]> {
  const work = await mkdtemp(join(root, 'io-'))
  const [inputs, out] = [join(work, 'inputs.safetensors'), join(work, 'logits.safetensors')]
  await writeSafetensors(inputs, await inputsFor(folder))
  const policy = await openPolicy(executor, folder)
  await writeLogits(policy, { inputs, out })
  await policy.close()
  return [given, inputs, out]
}

function compare(calls: readonly string[][]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(python, [script, ...calls.flat()], {
    encoding: 'utf8',
    timeout: 240_000,
  })
  return { status, output: `${stdout}${status === 0 ? '' : stderr}` }
}

const reason = missingTransformers ? `: ${missingTransformers}` : ''
describe.skipIf(missingTransformers)(`what is written loads in transformers with the same logits${reason}`, () => {
  test('every format of a model folder', { timeout: 300_000 }, async () => {
    await convertModel(text, at('text-f32'), { dtype: 'F32', maxShardBytes: 100_000 })
    await convertModel(text, at('text-f16'), { dtype: 'F16' })
    await convertModel(text, at('text-bf16'), { maxShardBytes: 5e9 })
    await convertModel(vision, at('vision-f32'), { dtype: 'F32' })
    await convertModel(vision, at('vision-shards'), { maxShardBytes: 100_000 })
    await convertModel(text, at('text-merged'), { dtype: 'F32', adapter: fixture('lora/text') })
    await writeFile(at('model.gguf'), ggufBytes(ggufMetadata, (await tensorsOfFixture()).tensors))
    await convertModel(at('model.gguf'), at('from-gguf'))
    const nano = testModel()
    await saveModel(at('nano'), nano.model, name => nano.store.weights(name))
    const names = [
      'text-f32',
      'text-f16',
      'text-bf16',
      'vision-f32',
      'vision-shards',
      'text-merged',
      'from-gguf',
      'nano',
    ]
    const calls: string[][] = []
    for (const name of names) calls.push(await compared(at(name)))
    const { status, output } = compare(calls)
    expect(output.match(/largest difference/g)?.length).toBe(names.length)
    expect({ status, output }).toEqual({ status: 0, output })
  })

  test('and the comparison fails where a weight differs', { timeout: 120_000 }, async () => {
    const changed = join(root, 'changed')
    const { model, store } = await loadModel(text)
    const call = await compared(text, changed)
    store.weights('model.norm.weight')[0]! += 0.5
    await saveModel(changed, model, name => store.weights(name), { dtype: 'F32' })
    expect(compare([call]).status).toBe(1)
  })

  test.skipIf(missingPeft)(
    `adapters, through PEFT${missingPeft ? `: ${missingPeft}` : ''}`,
    { timeout: 300_000 },
    async () => {
      const calls: string[][] = []
      for (const [base, adapter] of [
        [text, 'lora/text'],
        [vision, 'lora/vision'],
      ] as const) {
        const { model } = await loadModel(base)
        const loaded = await loadAdapter(fixture(adapter), model)
        const ours = join(root, adapter)
        await mkdir(join(root, 'lora'), { recursive: true })
        await saveAdapter(ours, model, { ...loaded, baseModel: base })
        const merged = join(root, `merged-${adapter.slice(5)}`)
        await convertModel(base, merged, { dtype: 'F32', adapter: ours })
        calls.push(await compared(merged, ours))
      }
      const { status, output } = compare(calls)
      expect({ status, output }).toEqual({ status: 0, output })
    },
  )
})

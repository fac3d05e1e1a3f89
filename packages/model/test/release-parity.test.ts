import { ecgBatch, type EncoderBatch } from '@qoq-med/encoders'
import { createOrtExecutor, type OrtExecutor } from '@qoq-med/tensor'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeSafetensors, type TensorToWrite } from '../src/checkpoint/safetensors-writer.ts'
import { folderInfo } from '../src/folder/folder-info.ts'
import { LocalPolicy } from '../src/policy/local-policy.ts'
import { loadModel } from '../src/folder/model-weights.ts'
import { testEcg, testImage } from '../src/composition/nano.testing.ts'
import { saveModel } from '../src/folder/save-model.ts'
import { writeEmbeddings } from '../src/arrays/write-embeddings.ts'
import { writeLogits } from '../src/arrays/write-logits.ts'
import { largestDifference, readCases, type OracleCases } from './oracle-cases.ts'
import { missingOracles, oracleFile } from './oracle-folder.ts'
import { answersOf, openPolicy, rowOf } from './parity.ts'
import { makeReleaseFolder } from './release-folder.ts'

function int64(ids: Int32Array): BigInt64Array {
  return BigInt64Array.from(ids, BigInt)
}

const reason = missingOracles ? `: ${missingOracles}` : ''

describe.skipIf(missingOracles)(`files in, files out, against transformers${reason}`, () => {
  let root: string
  let executor: OrtExecutor
  let release: string
  let vision: OracleCases
  let ecg: OracleCases
  let forward: OracleCases
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'release-'))
    executor = await createOrtExecutor()
    release = join(root, 'model')
    await makeReleaseFolder(release)
    vision = await readCases('models/qwen25vl_tiny_cases.safetensors')
    ecg = await readCases('ecg/ecg_in_vl.safetensors')
    forward = await readCases('ecg/ecgjepa_tiny_forward.safetensors')
  })
  afterAll(async () => {
    await executor.close()
    await rm(root, { recursive: true })
  })

  const image = (item: string): TensorToWrite[] => [
    {
      name: 'pixel_values',
      shape: vision.shape(`prep/${item}/pixel_values`),
      data: vision.float32(`prep/${item}/pixel_values`),
    },
    { name: 'image_grid_thw', shape: [1, 3], data: vision.int32(`prep/${item}/grid_thw`) },
  ]
  const oneEcg = (): TensorToWrite => ({
    name: 'ecg',
    shape: [1, 8, 2500],
    data: rowOf(forward.float32('x'), 0, forward.shape('x')[0]!),
  })

  async function logitsOf(policy: LocalPolicy, tensors: readonly TensorToWrite[]): Promise<OracleCases> {
    const [inputs, out] = [join(root, 'inputs.safetensors'), join(root, 'out.safetensors')]
    await writeSafetensors(inputs, tensors)
    await writeLogits(policy, { inputs, out })
    return readCases(out)
  }

  test.for(['batch_left', 'batch_right'])('writeLogits takes padding: %s', async name => {
    const policy = await openPolicy(executor, oracleFile('models/qwen25vl_tiny'), 'hf5')
    const [first, second] = [image('image0'), image('image1')].map(([pixels]) => pixels!.data as Float32Array) // as made above
    const pixels = Float32Array.from([...first!, ...first!, ...second!])
    const grids = ['image0', 'image0', 'image1'].flatMap(item => [...vision.int32(`prep/${item}/grid_thw`)])
    const got = await logitsOf(policy, [
      { name: 'input_ids', shape: [3, 74], data: int64(vision.int32(`${name}/input_ids`)) },
      { name: 'attention_mask', shape: [3, 74], data: int64(vision.int32(`${name}/attention_mask`)) },
      { name: 'pixel_values', shape: [pixels.length / 1176, 1176], data: pixels },
      { name: 'image_grid_thw', shape: [3, 3], data: Int32Array.from(grids) },
    ])
    expect([...got.int32('position_ids')]).toEqual([...vision.int32(`${name}/position_ids_hf5`)])
    const rows = vision.int32(`${name}/logit_rows_bt`)
    const wanted = Array.from({ length: rows.length / 2 }, (_, i) =>
      rowOf(got.float32('logits'), rows[2 * i]! * 74 + rows[2 * i + 1]!, 3 * 74),
    )
    expect(
      largestDifference(
        wanted.flatMap(row => [...row]),
        vision.float32(`${name}/logits`),
      ),
    ).toBeLessThan(1e-4)
    await policy.close()
  })

  test('a folder in the release’s format sees an image and an ECG of one pooled token', async () => {
    const policy = await openPolicy(executor, release)
    const got = await logitsOf(policy, [
      { name: 'input_ids', shape: [1, 60], data: int64(ecg.int32('image_plus_pooled_ecg_token/input_ids')) },
      ...image('image0'),
      oneEcg(),
    ])
    expect([...got.int32('position_ids')]).toEqual([...ecg.int32('image_plus_pooled_ecg_token/position_ids')])
    const last = got.float32('logits').slice(-20 * 1376)
    expect(largestDifference(last, ecg.float32('image_plus_pooled_ecg_token/logits_last_20'))).toBeLessThan(1e-4)
    await policy.close()
  })

  test('the paper’s reading, a run of time-series tokens, gives the reference’s logits', async () => {
    const { model, store } = await loadModel(release, { trainable: () => false })
    const config = model.config.ecg!.encoder
    const firstTokens: EncoderBatch = {
      ...ecgBatch({ config, pooling: 'patches' }, [{ signalMv: oneEcg().data as Float32Array, missingLeads: [] }]), // made of floats
      key: 'first 16 tokens',
      rows: 16,
    }
    // The fixture feeds the first 16 of 400 tokens, which no configuration does.
    const encoder = {
      ...model.encoders.ecg!,
      tokens: () => 16,
      batch: (): EncoderBatch => ({
        ...firstTokens,
        forward: (ops, layers, inputs) => ops.slice(firstTokens.forward(ops, layers, inputs), 0, 0, 16),
      }),
    }
    const encoders = { ...model.encoders, ecg: encoder }
    const policy = new LocalPolicy({ model: { ...model, encoders }, weights: name => store.weights(name), executor })
    const got = await logitsOf(policy, [
      { name: 'input_ids', shape: [1, 68], data: int64(ecg.int32('text_plus_16_ecg_tokens/input_ids')) },
      oneEcg(),
    ])
    expect([...got.int32('position_ids')]).toEqual([...ecg.int32('text_plus_16_ecg_tokens/position_ids')])
    const last = got.float32('logits').slice(-20 * 1376)
    expect(largestDifference(last, ecg.float32('text_plus_16_ecg_tokens/logits_last_20'))).toBeLessThan(1e-4)
    await policy.close()
  })

  test('writeEmbeddings gives the vision tower’s and the projected ECG tokens', async () => {
    const policy = await openPolicy(executor, release)
    const [inputs, out] = [join(root, 'media.safetensors'), join(root, 'embeddings.safetensors')]
    await writeSafetensors(inputs, [...image('image0'), oneEcg()])
    await writeEmbeddings(policy, { inputs, out })
    const got = await readCases(out)
    expect(largestDifference(got.float32('image_embeds'), vision.float32('one_image/vision_image_out'))).toBeLessThan(
      1e-4,
    )
    expect(got.shape('ecg_embeds')).toEqual([1, 400, 64])
    const first = got.float32('ecg_embeds').subarray(0, 16 * 64)
    expect(largestDifference(first, ecg.float32('projected_tokens_first_16'))).toBeLessThan(1e-4)
    await policy.close()
  })

  test('the release’s format answers with an ECG and is written back with the same bytes', async () => {
    const { model, store } = await loadModel(release, { trainable: () => false })
    const policy = new LocalPolicy({ model, weights: name => store.weights(name), executor })
    const content = [
      { type: 'image', image: testImage(60, 60) },
      { type: 'ecg', ecg: testEcg() },
      { type: 'text', text: 'Which?' },
    ] as const
    const [answer] = await answersOf(policy, [{ prompt: [{ role: 'user', content }], temperature: 0, maxNewTokens: 8 }])
    expect(answer!.tokenIds.length).toBeGreaterThan(0)
    const copy = join(root, 'copy')
    await saveModel(copy, model, name => store.weights(name))
    for (const name of await readdir(release))
      expect((await readFile(join(copy, name))).equals(await readFile(join(release, name)))).toBe(true)
    await policy.close()
  })

  test('folderInfo counts parameters by part and type', async () => {
    const info = await folderInfo(release)
    expect(info.parameters.total).toBe(info.parameters.decoder + info.parameters.vision + info.parameters.ecg)
    expect(info.dtypes).toEqual({ F32: info.parameters.total })
    expect(info.config.ecg!.encoder).toMatchObject({ embedDim: 32, depth: 2, numHeads: 4 })
    expect(info.memoryBytes).toEqual({
      weights: 4 * info.parameters.total,
      training: 16 * info.parameters.total,
      cachePerToken: 4 * 2 * 3 * 2 * 16,
    })
  })

  test.for([
    { name: 'no input_ids', tensors: [] },
    { name: 'an id beyond the vocabulary', tensors: [{ name: 'input_ids', shape: [1, 1], data: Int32Array.of(5000) }] },
    {
      name: 'a mask of another shape',
      tensors: [
        { name: 'input_ids', shape: [1, 1], data: Int32Array.of(1) },
        { name: 'attention_mask', shape: [1], data: Int32Array.of(1) },
      ],
    },
    {
      name: 'pixels without a grid',
      tensors: [
        { name: 'input_ids', shape: [1, 1], data: Int32Array.of(1) },
        { name: 'pixel_values', shape: [4, 1176], data: new Float32Array(4 * 1176) },
      ],
    },
    {
      name: 'an ECG of another length',
      tensors: [
        { name: 'input_ids', shape: [1, 1], data: Int32Array.of(1) },
        { name: 'ecg', shape: [1, 8, 10], data: new Float32Array(80) },
      ],
    },
  ])('writeLogits refuses $name', async ({ tensors }) => {
    const policy = await openPolicy(executor, release)
    await expect(logitsOf(policy, tensors)).rejects.toThrow(expect.objectContaining({ code: 'MODEL_INPUT_INVALID' }))
    await policy.close()
  })

  test('writeLogits refuses media without a place for them', async () => {
    const policy = await openPolicy(executor, release)
    const tensors = [{ name: 'input_ids', shape: [1, 1], data: Int32Array.of(1) }, oneEcg()]
    await expect(logitsOf(policy, tensors)).rejects.toThrow(
      expect.objectContaining({ code: 'MODEL_PLACEHOLDER_MISMATCH' }),
    )
    await policy.close()
  })
})

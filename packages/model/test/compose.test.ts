import { createOrtExecutor } from '@qoq-med/tensor'
import { ecgJepaParameterSpecs, initialValues, nanoEcgJepa } from '@qoq-med/encoders'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { writeSafetensors } from '../src/checkpoint/safetensors-writer.ts'
import { counterStream } from '../src/generation/counter-random.ts'
import { composeModel } from '../src/folder/compose-model.ts'
import { LocalPolicy } from '../src/policy/local-policy.ts'
import { initialiseModel, loadModel, type WeightedModel } from '../src/folder/model-weights.ts'
import { testEcg, testImage, testModel } from '../src/composition/nano.testing.ts'
import { createPolicyModel } from '../src/composition/policy-model.ts'
import { saveModel } from '../src/folder/save-model.ts'
import { createTokenizer } from '../src/tokenizer/tokenizer.ts'
import { answersOf } from './parity.ts'

let root: string
let paths: { base: string; ecg: string; target: string }
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'compose-'))
  paths = { base: join(root, 'base'), ecg: join(root, 'ecg.safetensors'), target: join(root, 'composed') }
})
afterEach(() => rm(root, { recursive: true }))

/** Writes a model with a vision tower and no ECG encoder; its tokenizer may lack the placeholder of ECGs. */
async function writeBase({ hasPlaceholder = true, freeRows = 4 } = {}): Promise<WeightedModel> {
  const { model } = testModel()
  const json = JSON.parse(model.tokenizer.json) as { added_tokens: { content: string }[] } // our own tokenizer
  const added = json.added_tokens.filter(({ content }) => hasPlaceholder || content !== '<|time_series_pad|>')
  const tokenizer = createTokenizer(JSON.stringify({ ...json, added_tokens: added }))
  const { ecg: _, ...config } = model.config
  const { timeSeries: _unused, ...tokenIds } = config.tokenIds
  const decoder = { ...config.decoder, vocabSize: tokenizer.vocabSize + freeRows }
  const chatTemplate = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
  const { imageProcessor } = model
  const base = createPolicyModel({
    name: 'base',
    config: { ...config, decoder, tokenIds },
    tokenizer,
    chatTemplate,
    imageProcessor,
  })
  const weighted = initialiseModel(base, 3)
  await saveModel(paths.base, base, name => weighted.store.weights(name))
  return weighted
}

/** Writes an ECG-JEPA encoder of random weights. */
async function writeEncoder(): Promise<Map<string, Float32Array>> {
  const values = new Map(
    ecgJepaParameterSpecs(nanoEcgJepa).map((spec, i) => [spec.name, initialValues(spec, counterStream(9, i))]),
  )
  const shapes = ecgJepaParameterSpecs(nanoEcgJepa)
  await writeSafetensors(
    paths.ecg,
    shapes.map(({ name, shape }) => ({ name: `encoder.${name}`, shape, data: values.get(name)! })),
  )
  return values
}

describe('composeModel', () => {
  test('keeps the weights of both parts and draws the projection', async () => {
    const base = await writeBase()
    const encoder = await writeEncoder()
    const report = await composeModel(paths.target, { ...paths, ecgTokens: 'mean', seed: 5 })
    const { model, store } = await loadModel(paths.target)
    for (const { name } of base.model.parameters) expect(store.weights(name)).toEqual(base.store.weights(name))
    for (const [name, values] of encoder)
      expect([...store.weights(`time_series_embedding.encoder.${name}`)]).toEqual([...values])
    const projection = store.weights('time_series_embedding.linear.weight')
    const deviation = Math.sqrt(projection.reduce((sum, value) => sum + value * value, 0) / projection.length)
    expect(deviation).toBeCloseTo(0.02, 2)
    expect(model.config.ecg).toMatchObject({ pooling: 'mean', isExplicit: true, encoder: { embedDim: 64 } })
    const sizes = { base: base.store.parameters.reduce((sum, { size }) => sum + size, 0), projection: 192 * 64 + 192 }
    expect(report).toMatchObject({ ecgTokens: 1, parameters: sizes })
  })

  test('gives an ECG a place in the vocabulary and the chat template, and answers with text, picture and ECG', async () => {
    const { model: base } = await writeBase({ hasPlaceholder: false })
    await writeEncoder()
    const { timeSeriesTokenId } = await composeModel(paths.target, { ...paths, ecgTokens: 32 })
    expect(timeSeriesTokenId).toBe(base.tokenizer.vocabSize)
    const { model, store } = await loadModel(paths.target)
    const executor = await createOrtExecutor()
    const policy = new LocalPolicy({ model, weights: name => store.weights(name), executor })
    const prompt = model.encode([
      {
        role: 'user',
        content: [
          { type: 'image', image: testImage(56, 56) },
          { type: 'ecg', ecg: testEcg() },
          { type: 'text', text: 'Which rhythm?' },
        ],
      },
    ])
    expect(prompt.ecgPositions).toHaveLength(32)
    expect(new Set([...prompt.ecgPositions].map(at => prompt.tokenIds[at]))).toEqual(new Set([timeSeriesTokenId]))
    const [answer] = await answersOf(policy, [{ prompt, maxNewTokens: 4 }])
    expect(answer!.tokenIds.length).toBeGreaterThan(0)
    await policy.close()
    await executor.close()
  })

  test('writes the limit of pixels into the preprocessor’s config', async () => {
    await writeBase()
    await writeEncoder()
    await composeModel(paths.target, { ...paths, maxPixels: 524_288 })
    const { model } = await loadModel(paths.target)
    expect(model.imageProcessor.maxPixels).toBe(524_288)
    const json = JSON.parse(await readFile(join(paths.target, 'config.json'), 'utf8')) as Record<string, unknown> // just written
    expect(json['architectures']).toEqual(['TimeSeriesQwen2_5_VLForConditionalGeneration'])
  })

  test.for([
    {
      name: 'a vocabulary without room',
      base: { hasPlaceholder: false, freeRows: 0 },
      options: {},
      code: 'MODEL_CONFIG_INVALID',
    },
    {
      name: 'a number of tokens that does not divide',
      base: {},
      options: { ecgTokens: 7 },
      code: 'ENCODERS_ECG_TOKENS',
    },
  ])('refuses $name, and writes nothing', async ({ base, options, code }) => {
    await writeBase(base)
    await writeEncoder()
    await expect(composeModel(paths.target, { ...paths, ...options })).rejects.toMatchObject({ code })
    expect(await readdir(root)).not.toContain('composed')
  })

  test('refuses a base that has an ECG encoder', async () => {
    const { model, store } = testModel()
    await saveModel(paths.base, model, name => store.weights(name))
    await writeEncoder()
    const error = { code: 'MODEL_MODALITY_UNSUPPORTED', message: expect.stringContaining('has one already') }
    await expect(composeModel(paths.target, paths)).rejects.toMatchObject(error)
  })
})

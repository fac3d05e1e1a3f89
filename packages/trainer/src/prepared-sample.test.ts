import type { Sample } from '@qoq-med/data-climb'
import { nanoModel, trainTokenizer } from '@qoq-med/model'
import { combine } from '@qoq-med/rewards'
import { describe, expect, test } from 'vitest'
import { createSamplePreparer, scaleReferenceBoxes } from './prepared-sample.ts'
import { prepareBatch } from './stage-context.ts'

const reference =
  '<think>A mass.</think>\n```json\n[{"bbox_2d": [20, 40, 60, 80], "label": "Mass"}]\n```\n\\boxed{Mass}'
const sample: Sample = {
  id: 'set/1',
  dataset: 'set',
  domain: 'mri',
  patientId: '1',
  modality: ['image'],
  split: 'train',
  question: 'What is it?',
  labels: ['Mass', 'None'],
  answer: ['Mass'],
  answerMode: 'single',
  files: [],
  images: () => Promise.resolve([{ width: 224, height: 112, data: new Uint8Array(224 * 112 * 3) }]),
  boxes: [{ x1: 20, y1: 40, x2: 60, y2: 80 }],
  reference,
}
const model = nanoModel(trainTokenizer([reference, sample.question], { vocabSize: 400 }), {
  images: { maxPixels: 6272 },
})

describe('createSamplePreparer', () => {
  test('gives boxes in pixels of the picture as the model sees it', async () => {
    const { prompt, truth, reference: tokens } = await createSamplePreparer(model, { maxPromptTokens: 200 })(sample)
    expect(prompt.vision[0]!.gridThw).toEqual([1, 4, 8])
    expect(truth.image).toEqual({ width: 112, height: 56 })
    expect(truth.boxes).toEqual([{ x1: 10, y1: 20, x2: 30, y2: 40 }])
    expect(model.tokenizer.decode(tokens, { skipSpecial: true })).toContain('"bbox_2d": [10, 20, 30, 40]')
    expect(model.endTokenIds.has(tokens.at(-1)!)).toBe(true)
  })

  test('compares with the mask as stored, scaled from the picture as the model sees it', async () => {
    const data = Uint8Array.from({ length: 224 * 112 }, (_, i) => Number(i % 224 < 112))
    const masked: Sample = { ...sample, mask: () => Promise.resolve({ width: 224, height: 112, data }) }
    const { truth } = await createSamplePreparer(model, { maxPromptTokens: 200 })(masked)
    // The left half of a picture that is seen at half its size.
    const answer = '```json\n[{"bbox_2d": [0, 0, 56, 56], "label": "Mass"}]\n```\n\\boxed{Mass}'
    expect(combine({ iou: 1 })(answer, truth).score).toBe(1)
    const tooWide = answer.replace('56, 56', '112, 56')
    expect(combine({ iou: 1 })(tooWide, truth).score).toBe(0.5)
  })

  test('names a picture that has a value which is not a number', async () => {
    // Of the size at which the model sees it: resizing would make bytes of it.
    const image = { width: 112, height: 56, data: new Uint8Array(112 * 56 * 3) }
    // No reader of ours gives floats; one of somebody else's may.
    const broken = { ...image, data: Float32Array.from(image.data, () => Number.NaN) as unknown as Uint8Array }
    const given: Sample = { ...sample, images: () => Promise.resolve([broken]) }
    const prepare = createSamplePreparer(model, { maxPromptTokens: 200 })
    expect((await prepare(given)).notFinite).toBe('picture')
    const batch = prepareBatch({ prepare, samples: [sample, given] }, [1], { stage: 'rl', step: 4 })
    await expect(batch).rejects.toMatchObject({
      code: 'TRAINER_NOT_FINITE',
      message: 'The picture is not finite in step 4 of the stage rl (sample set/1).',
    })
  })

  test('prepares a sample once', async () => {
    const prepare = createSamplePreparer(model, { maxPromptTokens: 200 })
    expect(await prepare(sample)).toBe(await prepare(sample))
  })

  test('lets go of the samples that came first when their pictures take too much memory', async () => {
    const one = (await createSamplePreparer(model, { maxPromptTokens: 200 })(sample)).prompt.vision[0]!.pixelValues
    const prepare = createSamplePreparer(model, { maxPromptTokens: 200, capacityBytes: 2 * one.byteLength })
    const samples = ['a', 'b', 'c'].map(id => ({ ...sample, id }))
    const [a, b, c] = [await prepare(samples[0]!), await prepare(samples[1]!), await prepare(samples[2]!)]
    expect(await prepare(samples[1]!)).toBe(b)
    expect(await prepare(samples[2]!)).toBe(c)
    expect(await prepare(samples[0]!)).not.toBe(a)
  })

  test('refuses a prompt that is too long', async () => {
    await expect(createSamplePreparer(model, { maxPromptTokens: 5 })(sample)).rejects.toMatchObject({
      code: 'TRAINER_TOO_LONG',
    })
  })
})

test('scaleReferenceBoxes leaves a response without a picture as it is', () => {
  expect(scaleReferenceBoxes(reference, undefined)).toBe(reference)
  expect(scaleReferenceBoxes(reference, { x: 0.5, y: 2 })).toContain('[10, 80, 30, 160]')
})

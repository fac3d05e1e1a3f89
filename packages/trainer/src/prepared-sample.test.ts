import type { Sample } from '@qoq-med/data-climb'
import { nanoModel, trainTokenizer } from '@qoq-med/model'
import { describe, expect, test } from 'vitest'
import { createSamplePreparer, scaleReferenceBoxes } from './prepared-sample.ts'

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

  test('prepares a sample once', async () => {
    const prepare = createSamplePreparer(model, { maxPromptTokens: 200 })
    expect(await prepare(sample)).toBe(await prepare(sample))
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

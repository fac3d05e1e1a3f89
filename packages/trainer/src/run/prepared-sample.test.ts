import { referenceResponse, type PictureScale, type Sample } from '@qoq-med/data-climb'
import { nanoModel, trainTokenizer } from '@qoq-med/model'
import { combine } from '@qoq-med/rewards'
import { describe, expect, test } from 'vitest'
import type { Presentation } from '../config/run-config.ts'
import { createSamplePreparer, preparedBytes } from './prepared-sample.ts'

const boxes = [{ x1: 20, y1: 40, x2: 60, y2: 80 }]
const referenceOf = (found: NonNullable<Sample['boxes']>) => (scales?: readonly PictureScale[]) => {
  const findings = found.map(box => ({ label: 'Mass', box }))
  return referenceResponse({ sampleId: 'set/1', cue: 'scan', answer: ['Mass'], findings }, scales)
}
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
  boxes,
  reference: referenceOf(boxes),
}
const model = nanoModel(trainTokenizer([sample.reference(), sample.question], { vocabSize: 400 }), {
  images: { maxPixels: 6272 },
})

describe('createSamplePreparer', () => {
  test('gives boxes in pixels of the picture as the model sees it', async () => {
    const { prompt, truth, reference: tokens } = await createSamplePreparer(model, { maxPromptTokens: 200 })(sample)
    expect(prompt.vision[0]!.gridThw).toEqual([1, 4, 8])
    expect(truth.image).toEqual([{ width: 112, height: 56 }])
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

  test('refuses an ECG that has a value which is not a number', async () => {
    const leads = ['I', 'II', 'III', 'aVR', 'aVL', 'aVF', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6']
    const signalMv = leads.map(() => new Float32Array(2500).fill(Number.NaN))
    const ecg = () => Promise.resolve({ leads, samplingRateHz: 250, signalMv })
    const { images: _, ...rest } = sample
    const given: Sample = { ...rest, modality: ['ecg'], ecg }
    await expect(createSamplePreparer(model, { maxPromptTokens: 200 })(given)).rejects.toMatchObject({
      code: 'ENCODERS_ECG_NOT_FINITE',
    })
  })

  test('refuses a picture that is no bytes', async () => {
    // No reader of ours gives floats; one of somebody else's may.
    const image = { width: 112, height: 56, data: new Float32Array(112 * 56 * 3) as unknown as Uint8Array }
    const given: Sample = { ...sample, images: () => Promise.resolve([image]) }
    await expect(createSamplePreparer(model, { maxPromptTokens: 200 })(given)).rejects.toMatchObject({
      code: 'ENCODERS_IMAGE_DATA',
    })
  })

  test('prepares a sample once', async () => {
    const prepare = createSamplePreparer(model, { maxPromptTokens: 200 })
    expect(await prepare(sample)).toBe(await prepare(sample))
  })

  test('lets go of the samples that came first when their pictures take too much memory', async () => {
    const one = preparedBytes(await createSamplePreparer(model, { maxPromptTokens: 200 })(sample))
    // A quarter of what media may take is kept: two of them.
    const prepare = createSamplePreparer(model, { maxPromptTokens: 200, mediaBytes: 8 * one })
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

const picture = (width: number, height: number) => ({ width, height, data: new Uint8Array(width * height * 3) })
/** The left half of a picture. */
const halfMask = (width: number, height: number) => ({
  width,
  height,
  data: Uint8Array.from({ length: width * height }, (_, i) => Number(i % width < width / 2)),
})
const masks = () => Promise.resolve([halfMask(224, 112), halfMask(56, 56)])
const boxOf = (x2: number, image: number) => `[{"bbox_2d": [0, 0, ${x2}, 56], "label": "Mass", "image": ${image}}]`

describe('a sample with pictures of different sizes', () => {
  const two: Sample = {
    ...sample,
    images: () => Promise.resolve([picture(224, 112), picture(56, 56)]),
    boxes: [
      { x1: 20, y1: 40, x2: 60, y2: 80 },
      { x1: 0, y1: 14, x2: 28, y2: 42, image: 1 },
    ],
    views: [{ image: 0, from: 1, transform: [4, 0, 0, 0, 2, 0] }],
  }
  const stated = { ...two, reference: referenceOf(two.boxes!) }
  const prepare = createSamplePreparer(model, { maxPromptTokens: 200 })

  test('has its boxes and its views in pixels of each picture as seen', async () => {
    const { prompt, truth } = await prepare(two)
    expect(prompt.vision.map(({ gridThw }) => gridThw)).toEqual([
      [1, 4, 8],
      [1, 4, 4],
    ])
    expect(truth.image).toEqual([
      { width: 112, height: 56 },
      { width: 56, height: 56 },
    ])
    expect(truth.boxes).toEqual([
      { x1: 10, y1: 20, x2: 30, y2: 40 },
      { x1: 0, y1: 14, x2: 28, y2: 42, image: 1 },
    ])
    expect(truth.views).toEqual([{ image: 0, from: 1, transform: [2, 0, 0, 0, 1, 0] }])
  })

  test('trains on a response with each box in pixels of its own picture as seen', async () => {
    const { reference } = await prepare({ ...stated, id: 'set/3' })
    const written =
      '[{"bbox_2d": [10, 20, 30, 40], "label": "Mass"}, {"bbox_2d": [0, 14, 28, 42], "label": "Mass", "image": 1}]'
    expect(model.tokenizer.decode(reference, { skipSpecial: true })).toContain(written)
  })

  test('is compared with the mask of each picture, not with boxes around it', async () => {
    const { truth } = await prepare({ ...two, id: 'set/2', masks })
    const iou = combine({ iou: 1 })
    expect(iou(boxOf(56, 0), truth).score).toBe(1)
    expect(iou(boxOf(28, 1), truth).score).toBe(1)
    expect(iou(boxOf(56, 1), truth).score).toBe(0.5)
  })
})

const presented = (presentation: Presentation, given: Sample) =>
  createSamplePreparer(model, { maxPromptTokens: 400, presentation })(given)

describe('a presentation of its own', () => {
  const plain = { template: '{question}', frames: 'video', ecgWindow: 'jepa' } as const
  test('writes the question into its template, which is text alone', async () => {
    const template = 'Look. {question} $& Answer at the end.'
    const { prompt } = await presented({ ...plain, template }, sample)
    expect(model.tokenizer.decode(prompt.tokenIds)).toContain('Look. What is it? $& Answer at the end.')
    const { prompt: bare } = await createSamplePreparer(model, { maxPromptTokens: 400 })(sample)
    expect([...(await presented(plain, sample)).prompt.tokenIds]).toEqual([...bare.tokenIds])
  })

  test('shows a clip as one video, or each frame as a picture of its own', async () => {
    const clip: Sample = {
      ...sample,
      modality: ['video'],
      images: () => Promise.resolve([picture(56, 56), picture(56, 56), picture(56, 56), picture(56, 56)]),
      boxes: [],
    }
    const grids = async (frames: Presentation['frames']) =>
      (await presented({ ...plain, frames }, clip)).prompt.vision.map(({ gridThw }) => gridThw)
    expect(await grids('video')).toEqual([[2, 4, 4]])
    expect(await grids('pictures')).toEqual(Array.from({ length: 4 }, () => [1, 4, 4]))
  })

  test('shows the first 5 s of an ECG at 500 Hz as the public code does', async () => {
    const leads = ['I', 'II', 'III', 'aVR', 'aVL', 'aVF', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6']
    const signalMv = leads.map((_, lead) => Float32Array.from({ length: 5000 }, (_sample, i) => lead + i / 5000))
    const { images: _, boxes: __, ...rest } = sample
    const ecg = () => Promise.resolve({ leads, samplingRateHz: 500, signalMv })
    const given: Sample = { ...rest, modality: ['ecg'], ecg }
    const { prompt } = await presented({ ...plain, ecgWindow: 'release' }, given)
    // At 500 Hz nothing is resampled: the encoder's leads I, II, V1 and so on, 2,500 samples of each.
    const seen = prompt.ecgs[0]!.signalMv
    const kept = ['I', 'II', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6'].map(name => leads.indexOf(name))
    expect([...seen]).toEqual(kept.flatMap(lead => [...signalMv[lead]!.subarray(0, 2500)]))
    expect([...(await presented(plain, given)).prompt.ecgs[0]!.signalMv]).not.toEqual([...seen])
  })
})

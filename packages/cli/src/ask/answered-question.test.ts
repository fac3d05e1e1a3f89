import { type LocalPolicy, nanoModel, trainTokenizer } from '@qoq-med/model'
import { expect, test } from 'vitest'
import { answerDocument, answerQuestion, answerText } from './answered-question.ts'

const tokenizer = trainTokenizer(['Where is it?'], { vocabSize: 300 })
const model = nanoModel(tokenizer, { images: { maxPixels: 6272 } })
const picture = (width: number, height: number) => ({ width, height, data: new Uint8Array(width * height * 3) })

/** A policy that sees pictures as the model does, and answers with a text. */
function answering(text: string): LocalPolicy {
  const completion = { text, finish: 'end', tokenIds: new Int32Array(), logprobs: new Float32Array() } as const
  const policy: Pick<LocalPolicy, 'model' | 'info' | 'generate'> = {
    model,
    info: { name: 'fake', maxPositions: 1000, modalities: ['text', 'image'] },
    generate: async function* () {
      yield { type: 'sample-end', request: 0, sample: 0, text, completion }
    },
  }
  return policy as LocalPolicy // what answering without labels uses
}

test('an answer about two pictures of different sizes has each box in pixels of its own file', async () => {
  const pictures = [picture(224, 112), picture(56, 56)] // seen at 112 x 56 and 56 x 56
  const boxes = '[{"bbox_2d": [10, 20, 30, 40], "label": "a"}, {"bbox_2d": [7, 14, 28, 42], "label": "b", "image": 1}]'
  const content = pictures.map(image => ({ type: 'image', image }) as const)
  const answered = await answerQuestion(
    answering(`<think>x</think>\n\`\`\`json\n${boxes}\n\`\`\`\n\\boxed{a}`),
    { role: 'user', content: [...content, { type: 'text', text: 'Where is it?' }] },
    {
      label: [],
      multi: false,
      pictures,
      warnings: [],
      maxNewTokens: 10,
      temperature: 0,
      seed: 0,
      signal: new AbortController().signal,
    },
  )
  expect(answerDocument(answered)).toMatchObject({
    boxes: [
      [20, 40, 60, 80],
      [7, 14, 28, 42],
    ],
    boxImages: [0, 1],
  })
  expect(answerText(answered)).toMatch(/label +picture +x1.*\na +1 +20 +40 +60 +80\nb +2 +7 +14 +28 +42\n/)
})

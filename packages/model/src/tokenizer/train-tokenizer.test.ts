import { describe, expect, test } from 'vitest'
import { trainTokenizer } from './train-tokenizer.ts'

const corpus = ['the chest, the heart', 'the lungs; the heart and the chest', 'heart\n\nheart 心電図 12-lead']

describe('trainTokenizer', () => {
  test('merges the most frequent pairs first and encodes with them', () => {
    const tokenizer = trainTokenizer(corpus, { vocabSize: 300 })
    const { model } = JSON.parse(tokenizer.json) as { model: { merges: [string, string][] } } // as the trainer wrote it
    // "he" and "ea", "ar", "rt" are in heart (4) and the (5): "he" occurs 9 times, more than any other pair.
    expect(model.merges[0]).toEqual(['h', 'e'])
    expect(tokenizer.encode('heart').length).toBeLessThan(5)
    expect(tokenizer.vocabSize).toBeLessThanOrEqual(300)
  })

  test('gives any text back', () => {
    const tokenizer = trainTokenizer(corpus, { vocabSize: 300 })
    for (const text of ['unseen words', '\t\0 😀 ½', 'the heart']) {
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text)
    }
  })

  test('puts the special tokens in the order of Qwen2.5 behind the merges', () => {
    const tokenizer = trainTokenizer(corpus, { vocabSize: 300 })
    const first = tokenizer.idOf('<|endoftext|>')!
    const names = [
      '<|im_start|>',
      '<|im_end|>',
      '<|vision_start|>',
      '<|vision_end|>',
      '<|image_pad|>',
      '<|video_pad|>',
      '<|time_series_pad|>',
    ]
    expect(names.map(name => tokenizer.idOf(name)! - first)).toEqual([1, 2, 9, 10, 12, 13, 22])
    expect(tokenizer.vocabSize).toBe(first + 23)
  })

  test('does not depend on the order of the texts', () => {
    const forward = trainTokenizer(corpus, { vocabSize: 310, minFrequency: 1 })
    expect(trainTokenizer(corpus.toReversed(), { vocabSize: 310, minFrequency: 1 }).json).toBe(forward.json)
  })

  test('breaks ties by the smaller ids', () => {
    const { model } = JSON.parse(trainTokenizer(['ab cd ab cd'], { vocabSize: 281 }).json) as {
      model: { merges: string[][] }
    } // as written
    expect(model.merges).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ])
  })

  test.for([
    { name: 'a vocabulary without room for the bytes', texts: corpus, vocabSize: 100 },
    { name: 'a corpus without text', texts: [''], vocabSize: 300 },
  ])('refuses $name', ({ texts, vocabSize }) => {
    expect(() => trainTokenizer(texts, { vocabSize })).toThrow(
      expect.objectContaining({ code: 'MODEL_TOKENIZER_TRAINING' }),
    )
  })
})

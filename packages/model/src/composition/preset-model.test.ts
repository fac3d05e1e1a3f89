import { expect, test } from 'vitest'
import { initialiseModel } from '../folder/model-weights.ts'
import { trainTokenizer } from '../tokenizer/train-tokenizer.ts'
import { modelPresetNames, presetModel } from './nano.ts'

const tokenizer = trainTokenizer(['The chest X-ray shows an effusion.'], { vocabSize: 300, minFrequency: 1 })

/** Parameters that a larger vocabulary adds: its embedding is also its head. */
const withVocabulary = (size: number, hidden: number): number => (size - tokenizer.vocabSize) * hidden

test.for([
  { name: 'qoq-pico', hidden: 96, vocabulary: 600, most: 500_000 },
  { name: 'qoq-nano', hidden: 192, vocabulary: 2048, most: 3_000_000 },
] as const)(
  '$name has at most $most parameters with a vocabulary of $vocabulary',
  ({ name, hidden, vocabulary, most }) => {
    const { store } = initialiseModel(presetModel(name, tokenizer), 1)
    const parameters = store.parameters.reduce((sum, each) => sum + store.weights(each.name).length, 0)
    expect(parameters + withVocabulary(vocabulary, hidden)).toBeLessThanOrEqual(most)
    expect(parameters).toBeGreaterThan(most / 3)
  },
)

test('every preset has a test here', () => expect(modelPresetNames).toEqual(['qoq-nano', 'qoq-pico']))

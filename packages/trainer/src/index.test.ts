import { expect, test } from 'vitest'
import * as trainer from './index.ts'

test('the public names of trainer', () => {
  expect(Object.keys(trainer).toSorted()).toMatchInlineSnapshot(`
    [
      "TrainConfigSchema",
      "algorithms",
      "createLearner",
      "loadConfig",
      "parseConfig",
      "policyAlgorithms",
      "policyLoss",
      "sftLoss",
      "tokenWeights",
      "train",
      "trainerErrors",
      "writeRunReport",
    ]
  `)
})

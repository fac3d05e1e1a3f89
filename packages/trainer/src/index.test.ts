import { expect, test } from 'vitest'
import * as trainer from './index.ts'

test('the public names of trainer', () => {
  expect(Object.keys(trainer).toSorted()).toMatchInlineSnapshot(`
    [
      "TrainConfigSchema",
      "algorithms",
      "configText",
      "createLearner",
      "drawRollout",
      "explainRollout",
      "loadConfig",
      "parseConfig",
      "planRun",
      "policyAlgorithms",
      "policyLoss",
      "readMetrics",
      "readRollouts",
      "sftLoss",
      "summariseRun",
      "tokenWeights",
      "train",
      "trainerErrors",
      "writeRunReport",
    ]
  `)
})

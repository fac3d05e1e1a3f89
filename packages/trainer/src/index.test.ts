import { expect, test } from 'vitest'
import * as trainer from './index.ts'

test('the public names of trainer', () => {
  expect(Object.keys(trainer).toSorted()).toMatchInlineSnapshot(`
    [
      "TrainConfigSchema",
      "algorithms",
      "compareTrainings",
      "configText",
      "createLearner",
      "drawRollout",
      "explainRollout",
      "exportTraces",
      "loadConfig",
      "logprobPass",
      "parseConfig",
      "planRun",
      "policyAlgorithms",
      "policyLossGraph",
      "policyObjective",
      "readMetrics",
      "readRollouts",
      "renderTrainingComparison",
      "sftLoss",
      "sftObjective",
      "summariseRun",
      "tokenWeights",
      "train",
      "trainerErrors",
      "writeRunReport",
    ]
  `)
})

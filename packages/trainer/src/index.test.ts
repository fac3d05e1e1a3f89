import { expect, test } from 'vitest'
import * as trainer from './index.ts'

test('the public names of trainer', () => {
  expect(Object.keys(trainer).toSorted()).toMatchInlineSnapshot(`
    [
      "TrainConfigSchema",
      "algorithms",
      "createLearner",
      "drawRollout",
      "escapeHtml",
      "explainRollout",
      "htmlTable",
      "lineChartSvg",
      "loadConfig",
      "parseConfig",
      "policyAlgorithms",
      "policyLoss",
      "readMetrics",
      "readRollouts",
      "sftLoss",
      "tokenWeights",
      "train",
      "trainerErrors",
      "writeRunReport",
    ]
  `)
})

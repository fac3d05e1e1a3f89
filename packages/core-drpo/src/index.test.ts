import { expect, test } from 'vitest'
import * as coreDrpo from './index.ts'

test('the public names', () => {
  expect(Object.keys(coreDrpo)).toMatchInlineSnapshot(`
    [
      "defineEstimator",
      "advantageEstimators",
      "createEstimatorRegistry",
      "estimateAdvantages",
      "drpoAdvantages",
      "drpoOptionTable",
      "referenceOptions",
      "findElbow",
      "explainAdvantage",
      "groupAdvantages",
      "updateKlController",
      "klDamping",
      "entropy",
      "fullKl",
      "klEstimators",
      "responseKl",
      "aggregationWeights",
      "lossAggregations",
      "parseOptions",
      "policyLoss",
      "policyLossOptionTable",
      "clusterRewards",
      "parseRewardBatch",
      "rewardBatchFields",
      "groupQuestions",
      "temperature",
      "uniqueVectors",
      "valueLoss",
      "drpoRecommended",
      "recommendedOptions",
      "eqpo",
      "fairGrpo",
      "fairGrpoNd",
      "fairReleaseNdOptions",
      "fairReleaseOptions",
      "clusterAlignment",
      "groupDro",
    ]
  `)
})

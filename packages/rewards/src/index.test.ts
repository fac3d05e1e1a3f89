import { expect, test } from 'vitest'
import * as api from './index.ts'

test('the public names are these', () => {
  expect(Object.keys(api)).toMatchInlineSnapshot(`
    [
      "accuracy",
      "exactMatch",
      "setF1",
      "taskAccuracy",
      "boxArea",
      "boxFromXywh",
      "boxIou",
      "clipBox",
      "coherence",
      "meanViewIou",
      "transformBox",
      "combine",
      "findingFormat",
      "format",
      "lenientFormat",
      "createIou",
      "iou",
      "maskIou",
      "jaccard",
      "createVocabulary",
      "normalizeLabel",
      "length",
      "lintReward",
      "loadReward",
      "loadWeights",
      "encodeMask",
      "responseStatements",
      "parseResponse",
      "paperWeights",
      "presetNamed",
      "presets",
      "renderLint",
      "readRewardRow",
      "scoreBatch",
      "scoreRow",
      "scoreRows",
      "builtInRewards",
    ]
  `)
})

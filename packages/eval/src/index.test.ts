import { expect, test } from 'vitest'
import * as api from './index.ts'

test('the public names are these', () => {
  expect(Object.keys(api).toSorted()).toMatchInlineSnapshot(`
    [
      "aggregateMetrics",
      "bootstrapOutcomes",
      "bootstrapTogether",
      "cohenKappa",
      "compareRuns",
      "computeMetrics",
      "confusionMatrix",
      "countOutcomes",
      "datasetMetrics",
      "drawSamples",
      "encodeOutcomes",
      "evalErrors",
      "evaluate",
      "inStoredPixels",
      "labelMetrics",
      "matthewsCorrelation",
      "mcnemar",
      "metricIntervals",
      "metricRow",
      "mortalityMetrics",
      "pairedDifferences",
      "percentileInterval",
      "readSampleLog",
      "renderReport",
      "standardError",
      "stayClassOf",
      "stayClasses",
      "stayMetrics",
      "wilsonInterval",
    ]
  `)
})

import { expect, test } from 'vitest'
import * as report from './index.ts'

test('public names', () => {
  expect(Object.keys(report).toSorted()).toMatchInlineSnapshot(`
    [
      "escapeHtml",
      "heatMapSvg",
      "histogramSvg",
      "htmlPage",
      "htmlTable",
      "intervalChartSvg",
      "lineChartSvg",
    ]
  `)
})

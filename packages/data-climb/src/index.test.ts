import { expect, test } from 'vitest'
import * as dataClimb from './index.ts'

test('exports these names', () => {
  expect(Object.keys(dataClimb).toSorted()).toMatchInlineSnapshot(`
    [
      "DatasetFolder",
      "dataErrors",
      "decodeImage",
      "decodeWfdb",
      "defaultSplitFractions",
      "defineDataset",
      "domains",
      "ecgRecording",
      "encodeWfdb",
      "findDataset",
      "inspectFile",
      "joinSegments",
      "listDatasets",
      "maxImagePixels",
      "openDataset",
      "parseWfdbHeader",
      "physicalSignal",
      "questionTemplates",
      "questionText",
      "readMat",
      "readWfdb",
      "readWfdbHeader",
      "referenceResponse",
      "signalFileBytes",
      "smoothFrames",
      "splitOfPatient",
      "synthesise",
      "wfdbErrors",
    ]
  `)
})

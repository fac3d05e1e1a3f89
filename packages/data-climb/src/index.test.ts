import { expect, test } from 'vitest'
import * as dataClimb from './index.ts'

test('exports these names', () => {
  expect(Object.keys(dataClimb).toSorted()).toMatchInlineSnapshot(`
    [
      "DatasetFolder",
      "axialSlices",
      "dataErrors",
      "decodeImage",
      "decodeMetaImage",
      "decodeWfdb",
      "defaultSplitFractions",
      "defineDataset",
      "domains",
      "ecgRecording",
      "encodeWfdb",
      "findDataset",
      "framesPerVolume",
      "inspectFile",
      "interiorPositions",
      "joinSegments",
      "listDatasets",
      "maxImagePixels",
      "openDataset",
      "parseMetaImageHeader",
      "parseWfdbHeader",
      "patientAxes",
      "physicalSignal",
      "physicalVoxels",
      "questionTemplates",
      "questionText",
      "readMat",
      "readNifti",
      "readVolume",
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

import { expect, test } from 'vitest'
import * as model from './index.ts'

test('exports these names', () => {
  expect(Object.keys(model).toSorted((a, b) => (a < b ? -1 : 1))).toMatchInlineSnapshot(`
    [
      "LocalPolicy",
      "batchFeeds",
      "boxedLabels",
      "boxesAndLabels",
      "checkSamplingOptions",
      "configDocument",
      "createPolicyModel",
      "createProgramCache",
      "createStreamDecoder",
      "createTokenizer",
      "defaultChatTemplate",
      "encodeMessages",
      "folderInfo",
      "initialiseModel",
      "loadFrozenModel",
      "loadModel",
      "mediaBatch",
      "modelConfig",
      "modelErrors",
      "mropePositions",
      "nanoModel",
      "openCheckpoint",
      "openModel",
      "openPth",
      "openSafetensors",
      "openSafetensorsSource",
      "policyParameterSpecs",
      "renderChat",
      "samplingProbabilities",
      "saveModel",
      "scoreBatch",
      "trainTokenizer",
      "writeEcgEmbeddings",
      "writeEmbeddings",
      "writeLogits",
      "writeSafetensors",
    ]
  `)
})

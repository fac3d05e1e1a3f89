import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { initialiseModel, nanoModel, saveModel, trainTokenizer } from '@qoq-med/model'

/** Writes a model folder with random weights and a tokenizer of a few sentences. */
export async function writeTinyModel(folder: string): Promise<void> {
  const corpus = [
    'Which label fits this MRI?',
    'Reason in <think></think>, then write \\boxed{label}.',
    'glioma meningioma',
  ]
  const tokenizer = trainTokenizer(corpus, { vocabSize: 400, minFrequency: 1 })
  const decoder = {
    numLayers: 1,
    hiddenSize: 64,
    intermediateSize: 64,
    numHeads: 2,
    numKvHeads: 1,
    initializerRange: 0.1,
  }
  const { model, store } = initialiseModel(nanoModel(tokenizer, { decoder }), 7)
  await saveModel(folder, model, name => store.weights(name))
}

/** Rewrites config.json of a model folder with other fields. */
export async function changeConfig(folder: string, fields: Readonly<Record<string, unknown>>): Promise<void> {
  const file = path.join(folder, 'config.json')
  const config: object = JSON.parse(await readFile(file, 'utf8'))
  await writeFile(file, JSON.stringify({ ...config, ...fields }))
}

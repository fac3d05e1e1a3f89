import type { EcgRecording, RgbImage } from '@qoq-med/encoders'
import { trainTokenizer } from '../tokenizer/train-tokenizer.ts'
import { nanoModel } from './nano.ts'
import { initialiseModel, type WeightedModel } from '../folder/model-weights.ts'

/** A nano model with random weights and a tokenizer of a few sentences, for tests. */
export function testModel(seed = 7): WeightedModel {
  const corpus = ['The chest X-ray shows an effusion.', 'The rhythm is sinus rhythm.', 'The answer is \\boxed{Normal}.']
  const tokenizer = trainTokenizer(corpus, { vocabSize: 400, minFrequency: 1 })
  return initialiseModel(nanoModel(tokenizer, { decoder: { numLayers: 2, initializerRange: 0.1 } }), seed)
}

/** A picture whose colours differ at every pixel. */
export function testImage(width: number, height: number): RgbImage {
  return { width, height, data: Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 37) % 251) }
}

/** Ten seconds of twelve leads at 100 Hz, each a sine of its own. */
export function testEcg(): EcgRecording {
  const leads = ['I', 'II', 'III', 'aVR', 'aVL', 'aVF', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6']
  const signalMv = leads.map((_, lead) => Float32Array.from({ length: 1000 }, (_sample, i) => Math.sin(i / (5 + lead))))
  return { leads, samplingRateHz: 100, signalMv }
}

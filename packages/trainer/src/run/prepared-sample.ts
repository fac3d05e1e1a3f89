import { presentSample, type Sample } from '@qoq-med/data-climb'
import type { Encoded, PolicyModel } from '@qoq-med/model'
import type { Truth } from '@qoq-med/rewards'
import type { Presentation } from '../config/run-config.ts'
import { trainerErrors } from '../errors.ts'
import { encodePresented } from './encode-presented.ts'
import { createMediaShelf } from './media-shelf.ts'
import { pictureScales, seenTruth } from './seen-pixels.ts'

/** A question as a step keeps it: without its pictures and recordings, which are decoded again where they were let go of. */
export interface Question {
  readonly sample: Sample
  /** The reference response and the token that ends an answer. */
  readonly reference: Int32Array
  readonly truth: Truth
  /** Sizes of its media: questions of one text train in one graph. */
  readonly mediaKey: string
}

/** A sample as the trainer uses it: the encoded prompt, the reference answer as tokens, and what rewards compare with. */
export interface PreparedSample extends Question {
  readonly prompt: Encoded
}

/** Prepares samples, a few at a time, and keeps those that were used last, since a run sees each of them many times. */
export type SamplePreparer = (sample: Sample) => Promise<PreparedSample>

/** Options of `createSamplePreparer`. */
export interface PreparerOptions {
  /** Longest prompt. */
  readonly maxPromptTokens: number
  readonly presentation?: Presentation | undefined
  /** Bytes of prompts with their pictures and recordings: a quarter is kept, a quarter may be under way. Default 2 GiB. */
  readonly mediaBytes?: number
}

/**
 * Creates a preparer for a model.
 *
 * @throws TRAINER_TOO_LONG (on use) when a prompt has more tokens than allowed
 */
export function createSamplePreparer(
  model: PolicyModel,
  { maxPromptTokens, presentation, mediaBytes = 2 ** 31 }: PreparerOptions,
): SamplePreparer {
  const shelf = createMediaShelf<PreparedSample>(mediaBytes / 4, preparedBytes)
  return sample => shelf(sample.id, () => prepare(model, sample, { maxPromptTokens, presentation }))
}

/** What a step keeps of a prepared sample. */
export function questionOf({ sample, reference, truth, mediaKey }: PreparedSample): Question {
  return { sample, reference, truth, mediaKey }
}

/** Objects and texts of a prepared sample, beside its arrays. */
const preparedOverhead = 4096

/** Bytes that a prepared sample holds. */
export function preparedBytes({ prompt, reference }: PreparedSample): number {
  const { tokenIds, positionIds, vision, ecgs } = prompt
  const media = [...vision.map(({ pixelValues }) => pixelValues), ...ecgs.map(({ signalMv }) => signalMv)]
  const arrays = [tokenIds, positionIds, reference, ...media]
  return arrays.reduce((sum, { byteLength }) => sum + byteLength, preparedOverhead)
}

async function prepare(
  model: PolicyModel,
  sample: Sample,
  { maxPromptTokens, presentation }: Pick<PreparerOptions, 'maxPromptTokens' | 'presentation'>,
): Promise<PreparedSample> {
  const { prompt: messages, truth, reference, pictureSizes } = await presentSample(sample)
  const prompt = presentation ? encodePresented(model, messages, presentation) : model.encode(messages)
  const tokens = prompt.tokenIds.length
  if (tokens > maxPromptTokens) throw trainerErrors.TOO_LONG({ sample: sample.id, tokens, limit: maxPromptTokens })
  const scales = pictureScales(model, pictureSizes)
  const [end] = model.endTokenIds
  const text = model.tokenizer.encode(reference(scales))
  return {
    sample,
    prompt,
    reference: Int32Array.from(end === undefined ? text : [...text, end]),
    truth: seenTruth(truth, scales),
    mediaKey: `${prompt.vision.map(({ gridThw }) => gridThw.join('x')).join()} ${prompt.ecgs.length}`,
  }
}

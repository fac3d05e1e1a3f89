import { presentSample, type Sample } from '@qoq-med/data-climb'
import type { Encoded, PolicyModel } from '@qoq-med/model'
import type { Truth } from '@qoq-med/rewards'
import { trainerErrors } from '../errors.ts'
import type { Presentation } from '../config/run-config.ts'
import { encodePresented } from './encode-presented.ts'
import { pictureScales, seenTruth } from './seen-pixels.ts'

/** A sample as the trainer uses it: the encoded prompt, the reference answer as tokens, and what rewards compare with. */
export interface PreparedSample {
  readonly sample: Sample
  readonly prompt: Encoded
  /** The reference response and the token that ends an answer. */
  readonly reference: Int32Array
  readonly truth: Truth
}

/** Prepares samples and keeps the last ones, since a run sees each of them many times. */
export type SamplePreparer = (sample: Sample) => Promise<PreparedSample>

/** Options of `createSamplePreparer`. */
export interface PreparerOptions {
  /** Longest prompt. */
  readonly maxPromptTokens: number
  readonly presentation?: Presentation | undefined
  /** Bytes of pictures and recordings that are kept in memory. Default 512 MiB. */
  readonly capacityBytes?: number
}

/**
 * Creates a preparer for a model.
 *
 * @throws TRAINER_TOO_LONG (on use) when a prompt has more tokens than allowed
 */
export function createSamplePreparer(
  model: PolicyModel,
  { maxPromptTokens, presentation, capacityBytes = 2 ** 29 }: PreparerOptions,
): SamplePreparer {
  const kept = new Map<string, Promise<PreparedSample>>()
  const sizes = new Map<string, number>()
  let bytes = 0
  const keepSize = (id: string, size: number): void => {
    sizes.set(id, size)
    bytes += size
    for (const [oldest, its] of sizes) {
      if (bytes <= capacityBytes) return
      sizes.delete(oldest)
      kept.delete(oldest)
      bytes -= its
    }
  }
  return sample => {
    const known = kept.get(sample.id)
    if (known) return known
    const prepared = prepare(model, sample, { maxPromptTokens, presentation })
    kept.set(sample.id, prepared)
    prepared.then(
      ({ prompt }) => keepSize(sample.id, mediaBytes(prompt)),
      () => kept.delete(sample.id),
    )
    return prepared
  }
}

function mediaBytes({ vision, ecgs }: Encoded): number {
  const arrays = [...vision.map(({ pixelValues }) => pixelValues), ...ecgs.map(({ signalMv }) => signalMv)]
  return arrays.reduce((sum, { byteLength }) => sum + byteLength, 0)
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
  }
}

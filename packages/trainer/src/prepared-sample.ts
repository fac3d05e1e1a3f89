import { presentSample, type PictureSize, type Sample, type SampleTruth } from '@qoq-med/data-climb'
import type { Encoded, PolicyModel } from '@qoq-med/model'
import { encodeMask, type Truth, type TruthBox } from '@qoq-med/rewards'
import { trainerErrors } from './errors.ts'

/** A sample as the trainer uses it: the encoded prompt, the reference answer as tokens, and what rewards compare with. */
export interface PreparedSample {
  readonly sample: Sample
  readonly prompt: Encoded
  /** The reference response and the token that ends an answer. */
  readonly reference: Int32Array
  readonly truth: Truth
  /** The medium that has a value which is not a number. */
  readonly notFinite?: 'picture' | 'ECG'
}

/** Prepares samples and keeps the last ones, since a run sees each of them many times. */
export type SamplePreparer = (sample: Sample) => Promise<PreparedSample>

/** Options of `createSamplePreparer`. */
export interface PreparerOptions {
  /** Longest prompt. */
  readonly maxPromptTokens: number
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
  { maxPromptTokens, capacityBytes = 2 ** 29 }: PreparerOptions,
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
    const prepared = prepare(model, sample, maxPromptTokens)
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

async function prepare(model: PolicyModel, sample: Sample, maxPromptTokens: number): Promise<PreparedSample> {
  const { prompt: messages, truth, reference, pictureSizes } = await presentSample(sample)
  const prompt = model.encode(messages)
  const tokens = prompt.tokenIds.length
  if (tokens > maxPromptTokens) throw trainerErrors.TOO_LONG({ sample: sample.id, tokens, limit: maxPromptTokens })
  const scale = pictureScale(model, prompt, pictureSizes[0])
  const [end] = model.endTokenIds
  const text = model.tokenizer.encode(scaleReferenceBoxes(reference, scale))
  return {
    sample,
    prompt,
    reference: Int32Array.from(end === undefined ? text : [...text, end]),
    truth: seenTruth(truth, scale),
    ...notFinite(prompt),
  }
}

/** How the first picture was scaled, and its size as the model sees it. */
interface PictureScale extends PictureSize {
  readonly x: number
  readonly y: number
}

function pictureScale(model: PolicyModel, prompt: Encoded, stored: PictureSize | undefined): PictureScale | undefined {
  const seen = prompt.vision[0]
  if (!stored || !seen) return undefined
  const { patchSize } = model.imageProcessor
  const [width, height] = [seen.gridThw[2] * patchSize, seen.gridThw[1] * patchSize]
  return { x: width / stored.width, y: height / stored.height, width, height }
}

/**
 * The truth in pixels of the picture as the model sees it. A mask stays as stored, since rewards scale boxes to it, but
 * encoded: its pixels are dropped.
 */
function seenTruth({ boxes = [], mask, image, ...rest }: SampleTruth, scale: PictureScale | undefined): Truth {
  const { x, y } = scale ?? { x: 1, y: 1 }
  const scaled = boxes.map((box): TruthBox => {
    return { ...box, x1: box.x1 * x, y1: box.y1 * y, x2: box.x2 * x, y2: box.y2 * y }
  })
  return {
    ...rest,
    ...(scaled.length > 0 && { boxes: scaled }),
    ...(mask && { mask: encodeMask(mask) }),
    ...(image && { image: scale ? { width: scale.width, height: scale.height } : image }),
  }
}

/** Names the medium of a prompt that has a value which is not a number, as a broken file may give. */
function notFinite({ vision, ecgs }: Encoded): Pick<PreparedSample, 'notFinite'> {
  if (!vision.every(({ pixelValues }) => pixelValues.every(Number.isFinite))) return { notFinite: 'picture' }
  if (!ecgs.every(({ signalMv }) => signalMv.every(Number.isFinite))) return { notFinite: 'ECG' }
  return {}
}

/** Rewrites the boxes of a reference response from pixels of the file to pixels of the picture as the model sees it. */
export function scaleReferenceBoxes(reference: string, scale: Pick<PictureScale, 'x' | 'y'> | undefined): string {
  if (!scale) return reference
  return reference.replace(/"bbox_2d": \[(\d+), (\d+), (\d+), (\d+)\]/g, (_match, ...numbers: string[]) => {
    const scaled = numbers.slice(0, 4).map((value, i) => Math.round(Number(value) * (i % 2 === 0 ? scale.x : scale.y)))
    return `"bbox_2d": [${scaled.join(', ')}]`
  })
}

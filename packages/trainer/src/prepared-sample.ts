import type { Encoded, Message, PolicyModel } from '@qoq-med/model'
import { locateFindings, type Sample } from '@qoq-med/data-climb'
import type { Truth, TruthBox } from '@qoq-med/rewards'
import { trainerErrors } from './errors.ts'

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
  /** Samples kept in memory. Default 512. */
  readonly capacity?: number
}

/**
 * Creates a preparer for a model.
 *
 * @throws TRAINER_TOO_LONG (on use) when a prompt has more tokens than allowed
 */
export function createSamplePreparer(
  model: PolicyModel,
  { maxPromptTokens, capacity = 512 }: PreparerOptions,
): SamplePreparer {
  const kept = new Map<string, Promise<PreparedSample>>()
  return sample => {
    const known = kept.get(sample.id)
    if (known) return known
    const prepared = prepare(model, sample, maxPromptTokens)
    kept.set(sample.id, prepared)
    prepared.catch(() => kept.delete(sample.id))
    const [oldest] = kept.keys()
    if (kept.size > capacity && oldest !== undefined) kept.delete(oldest)
    return prepared
  }
}

async function prepare(model: PolicyModel, opened: Sample, maxPromptTokens: number): Promise<PreparedSample> {
  // Where a dataset has masks and no boxes, the reference lists the boxes of the masks.
  const sample = await locateFindings(opened)
  const messages = [await questionMessage(sample)]
  const prompt = model.encode(messages)
  const tokens = prompt.tokenIds.length
  if (tokens > maxPromptTokens) throw trainerErrors.TOO_LONG({ sample: sample.id, tokens, limit: maxPromptTokens })
  const scale = imageScale(model, prompt, messages[0]!)
  const [end] = model.endTokenIds
  const text = model.tokenizer.encode(scaleReferenceBoxes(sample.reference, scale))
  return {
    sample,
    prompt,
    reference: Int32Array.from(end === undefined ? text : [...text, end]),
    truth: truthOf(sample, scale),
  }
}

/** The question with its pictures and ECG, in the order of the paper's prompt: media first, then text. */
export async function questionMessage(sample: Sample): Promise<Message> {
  const images = (await sample.images?.()) ?? []
  const ecg = await sample.ecg?.()
  const isClip = sample.modality.includes('video')
  return {
    role: 'user',
    content: [
      ...(isClip
        ? [{ type: 'video' as const, frames: images }]
        : images.map(image => ({ type: 'image' as const, image }))),
      ...(ecg ? [{ type: 'ecg' as const, ecg }] : []),
      { type: 'text', text: sample.question },
    ],
  }
}

/** How the first picture was scaled, and its size as the model saw it. */
interface ImageScale {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

function imageScale(model: PolicyModel, prompt: Encoded, message: Message): ImageScale | undefined {
  const parts = typeof message.content === 'string' ? [] : message.content
  const image = parts.flatMap(part =>
    part.type === 'image' ? [part.image] : part.type === 'video' ? part.frames : [],
  )[0]
  const seen = prompt.vision[0]
  if (!image || !seen) return undefined
  const { patchSize } = model.imageProcessor
  const [width, height] = [seen.gridThw[2] * patchSize, seen.gridThw[1] * patchSize]
  return { x: width / image.width, y: height / image.height, width, height }
}

function truthOf(sample: Sample, scale: ImageScale | undefined): Truth {
  const boxes: TruthBox[] = (sample.boxes ?? []).map(({ x1, y1, x2, y2, image }) => ({
    ...(image !== undefined && { image }),
    x1: x1 * (scale?.x ?? 1),
    y1: y1 * (scale?.y ?? 1),
    x2: x2 * (scale?.x ?? 1),
    y2: y2 * (scale?.y ?? 1),
  }))
  return {
    answer: sample.answer,
    labels: sample.labels,
    modality: sample.modality,
    ...(boxes.length > 0 && { boxes }),
    ...(scale && { image: { width: scale.width, height: scale.height } }),
  }
}

/** Rewrites the boxes of a reference response from pixels of the file to pixels of the picture as the model sees it. */
export function scaleReferenceBoxes(reference: string, scale: Pick<ImageScale, 'x' | 'y'> | undefined): string {
  if (!scale) return reference
  return reference.replace(/"bbox_2d": \[(\d+), (\d+), (\d+), (\d+)\]/g, (_match, ...numbers: string[]) => {
    const scaled = numbers.slice(0, 4).map((value, i) => Math.round(Number(value) * (i % 2 === 0 ? scale.x : scale.y)))
    return `"bbox_2d": [${scaled.join(', ')}]`
  })
}

import { presentMedia, readEcg, type RgbImage } from '@qoq-med/data-climb'
import type { ContentPart, Message } from '@qoq-med/model'
import { serverErrors } from '../errors.ts'
import { requireAtMost, type ServerLimits } from '../limits.ts'
import type { ChatPart, ChatRequest } from './chat-request.ts'
import { dataUrlBytes, requirePicture } from './data-url.ts'

/**
 * Decodes the messages of a body; pictures are shown as in training. Counts are checked first; pictures are decoded one after the other, each within the
 * pixels that those before it left over.
 *
 * @throws SERVER_LIMIT_EXCEEDED, SERVER_REMOTE_URL_REFUSED, SERVER_DATA_URL_INVALID, SERVER_IMAGE_FORMAT,
 *   DATA_IMAGE_UNREADABLE, DATA_IMAGE_TOO_LARGE, and the errors of `readEcg`
 */
export async function chatMessages(messages: ChatRequest['messages'], limits: MediaLimits): Promise<ChatInput> {
  const parts = messages.flatMap(({ content }) => (typeof content === 'string' ? [] : content))
  const texts = messages.flatMap(({ content }) =>
    typeof content === 'string' ? content.length : content.map(textLength),
  )
  requireAtMost(limits.textCharacters, sum(texts), 'characters')
  requireAtMost(limits.images, parts.filter(part => part.type === 'image_url').length, 'pictures')
  for (const part of parts) if (part.type === 'input_ecg') requireRate(part.input_ecg.fs, limits)
  requireAtMost(limits.ecgSamples, sum(parts.map(ecgSamples)), 'ECG samples')
  requireAtMost(limits.ecgSamples, Math.ceil(sum(parts.map(resampledEcg))), 'ECG samples after resampling')
  const files = parts.filter(part => part.type === 'file')
  requireAtMost(limits.ecgFiles, files.length, 'files')
  for (const { file } of files) requireAtMost(limits.ecgFileCharacters, file.file_data.length, 'characters of a file')
  const budget: MediaBudget = { pixels: limits.imagePixels, limits, images: [], warnings: [] }
  const decoded: Message[] = []
  for (const [index, { role, content }] of messages.entries()) {
    const field = `messages.${index}.content`
    decoded.push({
      role: role === 'developer' ? 'system' : role,
      content: typeof content === 'string' ? content : await contentParts(content, field, budget),
    })
  }
  return { messages: decoded, images: budget.images, warnings: budget.warnings }
}

/** The limits that media are held to. */
type MediaLimits = Pick<
  ServerLimits,
  'textCharacters' | 'images' | 'imagePixels' | 'ecgSamples' | 'ecgMinHz' | 'ecgFiles' | 'ecgFileCharacters'
>

/** Sampling rate that ECG encoders resample to, in hertz. */
const encoderHz = 250

function resampledEcg(part: ChatPart): number {
  return part.type === 'input_ecg' ? (ecgSamples(part) * encoderHz) / part.input_ecg.fs : 0
}

function requireRate(hertz: number, { ecgMinHz }: MediaLimits): void {
  if (hertz < ecgMinHz) throw serverErrors.ECG_RATE({ found: hertz, least: ecgMinHz })
}

/** The messages of a request, its pictures in their order, and what was changed or not applied in them. */
export interface ChatInput {
  readonly messages: readonly Message[]
  readonly images: readonly RgbImage[]
  readonly warnings: readonly string[]
}

/** What is left of the pixels that a request may hold, and what was decoded. */
interface MediaBudget {
  pixels: number
  readonly limits: MediaLimits
  readonly images: RgbImage[]
  readonly warnings: string[]
}

async function contentParts(parts: readonly ChatPart[], field: string, budget: MediaBudget): Promise<ContentPart[]> {
  const decoded: ContentPart[] = []
  for (const [index, part] of parts.entries()) decoded.push(...(await contentPart(part, `${field}.${index}`, budget)))
  return decoded
}

async function contentPart(part: ChatPart, field: string, budget: MediaBudget): Promise<readonly ContentPart[]> {
  if (part.type === 'text') return [part]
  if (part.type === 'input_ecg') return [ecgPart(part.input_ecg)]
  if (part.type === 'file') return [await ecgFilePart(part.file.file_data, `${field}.file`, budget)]
  const at = `${field}.image_url`
  const url = typeof part.image_url === 'string' ? part.image_url : part.image_url.url
  const bytes = dataUrlBytes(url, at)
  requirePicture(bytes, at)
  const { pictures, warnings } = await presentMedia({ bytes, name: at }, { maxPixels: budget.pixels, frames: 1 })
  budget.images.push(...pictures)
  budget.warnings.push(...warnings.map(text => `${at}: ${text}`))
  for (const { width, height } of pictures) budget.pixels -= width * height
  return pictures.map(image => ({ type: 'image', image }))
}

type EcgJson = Extract<ChatPart, { readonly type: 'input_ecg' }>['input_ecg']

const millivolts: Readonly<Record<EcgJson['units'], number>> = { V: 1000, mV: 1, uV: 0.001, µV: 0.001 }

function ecgPart({ fs, units, leads }: EcgJson): ContentPart {
  const factor = millivolts[units]
  return {
    type: 'ecg',
    ecg: {
      leads: Object.keys(leads),
      samplingRateHz: fs,
      signalMv: Object.values(leads).map(samples => Float32Array.from(samples, sample => sample * factor)),
    },
  }
}

/** Seconds of a recording that the model looks at. */
const ecgSeconds = 10

/** The name that a client gives is not used: errors would tell it to whoever reads them. */
async function ecgFilePart(url: string, field: string, { limits, warnings }: MediaBudget): Promise<ContentPart> {
  const { warnings: told = [], ...ecg } = await readEcg(
    { name: 'file', bytes: dataUrlBytes(url, field) },
    { maxSeconds: ecgSeconds },
  )
  warnings.push(...told.map(text => `${field}: ${text}`))
  requireRate(ecg.samplingRateHz, limits)
  requireAtMost(limits.ecgSamples, sum(ecg.signalMv.map(lead => lead.length)), 'ECG samples')
  return { type: 'ecg', ecg }
}

function textLength(part: ChatPart): number {
  return part.type === 'text' ? part.text.length : 0
}

function ecgSamples(part: ChatPart): number {
  return part.type === 'input_ecg' ? sum(Object.values(part.input_ecg.leads).map(samples => samples.length)) : 0
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

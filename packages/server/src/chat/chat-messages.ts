import { decodeImage } from '@qoq-med/data-climb'
import type { ContentPart, Message } from '@qoq-med/model'
import { serverErrors } from '../errors.ts'
import { requireAtMost, type ServerLimits } from '../limits.ts'
import type { ChatPart, ChatRequest } from './chat-request.ts'
import { dataUrlBytes, requirePicture } from './data-url.ts'

/**
 * Decodes the messages of a body. Counts are checked first; pictures are decoded one after the other, each within the
 * pixels that those before it left over.
 *
 * @throws SERVER_LIMIT_EXCEEDED, SERVER_REMOTE_URL_REFUSED, SERVER_DATA_URL_INVALID, SERVER_IMAGE_FORMAT,
 *   DATA_IMAGE_UNREADABLE, DATA_IMAGE_TOO_LARGE
 */
export async function chatMessages(messages: ChatRequest['messages'], limits: MediaLimits): Promise<Message[]> {
  const parts = messages.flatMap(({ content }) => (typeof content === 'string' ? [] : content))
  const texts = messages.flatMap(({ content }) =>
    typeof content === 'string' ? content.length : content.map(textLength),
  )
  requireAtMost(limits.textCharacters, sum(texts), 'characters')
  requireAtMost(limits.images, parts.filter(part => part.type === 'image_url').length, 'pictures')
  for (const part of parts) if (part.type === 'input_ecg') requireRate(part.input_ecg.fs, limits)
  requireAtMost(limits.ecgSamples, sum(parts.map(ecgSamples)), 'ECG samples')
  requireAtMost(limits.ecgSamples, Math.ceil(sum(parts.map(resampledEcg))), 'ECG samples after resampling')
  const budget = { pixels: limits.imagePixels }
  const decoded: Message[] = []
  for (const [index, { role, content }] of messages.entries()) {
    const field = `messages.${index}.content`
    decoded.push({
      role: role === 'developer' ? 'system' : role,
      content: typeof content === 'string' ? content : await contentParts(content, field, budget),
    })
  }
  return decoded
}

/** The limits that media are held to. */
type MediaLimits = Pick<ServerLimits, 'textCharacters' | 'images' | 'imagePixels' | 'ecgSamples' | 'ecgMinHz'>

/** Sampling rate that ECG encoders resample to, in hertz. */
const encoderHz = 250

function resampledEcg(part: ChatPart): number {
  return part.type === 'input_ecg' ? (ecgSamples(part) * encoderHz) / part.input_ecg.fs : 0
}

function requireRate(hertz: number, { ecgMinHz }: MediaLimits): void {
  if (hertz < ecgMinHz) throw serverErrors.ECG_RATE({ found: hertz, least: ecgMinHz })
}

/** What is left of the pixels that a request may hold. */
interface PixelBudget {
  pixels: number
}

async function contentParts(parts: readonly ChatPart[], field: string, budget: PixelBudget): Promise<ContentPart[]> {
  const decoded: ContentPart[] = []
  for (const [index, part] of parts.entries()) decoded.push(await contentPart(part, `${field}.${index}`, budget))
  return decoded
}

async function contentPart(part: ChatPart, field: string, budget: PixelBudget): Promise<ContentPart> {
  if (part.type === 'text') return part
  if (part.type === 'input_ecg') return ecgPart(part.input_ecg)
  const at = `${field}.image_url`
  const url = typeof part.image_url === 'string' ? part.image_url : part.image_url.url
  const bytes = dataUrlBytes(url, at)
  requirePicture(bytes, at)
  const image = await decodeImage(bytes, { maxPixels: budget.pixels })
  budget.pixels -= image.width * image.height
  return { type: 'image', image }
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

function textLength(part: ChatPart): number {
  return part.type === 'text' ? part.text.length : 0
}

function ecgSamples(part: ChatPart): number {
  return part.type === 'input_ecg' ? sum(Object.values(part.input_ecg.leads).map(samples => samples.length)) : 0
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

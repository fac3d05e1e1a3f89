import { resizeBicubic, seenSize, type EcgRecording, type ImageProcessorConfig, type RgbImage } from '@qoq-med/encoders'
import { modelErrors } from '../../errors.ts'
import type { GenerateRequest } from '../../generation/generate-request.ts'
import type { ContentPart, Message } from '../../prompt/message.ts'
import { rgbPng } from './png.ts'

/** How media are written for a server. */
export interface RemoteMedia {
  /** Pictures are sent at the size that this processor gives the model; `stored` sends them as they are. */
  readonly pictures: ImageProcessorConfig | 'stored'
  /**
   * How an ECG is sent: `signal` as `input_ecg`, which servers of this project take; `picture` as what `drawEcg` draws;
   * `refuse` throws.
   */
  readonly ecgAs: 'signal' | 'picture' | 'refuse'
  /** Draws an ECG as a PNG, such as a 12-lead strip. */
  readonly drawEcg?: (recording: EcgRecording) => Promise<Uint8Array>
}

/** A part of a message as OpenAI's chat completions have it, and `input_ecg`. */
type ChatPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image_url'; readonly image_url: { readonly url: string } }
  | {
      readonly type: 'input_ecg'
      readonly input_ecg: {
        readonly fs: number
        readonly units: 'mV'
        readonly leads: Readonly<Record<string, number[]>>
      }
    }

/** The body of a request to `/v1/chat/completions`. */
export type ChatBody = Readonly<Record<string, unknown>> & {
  readonly messages: readonly { readonly role: string; readonly content: string | readonly ChatPart[] }[]
}

/** What a body is made with beside the request. */
export interface BodyOptions extends RemoteMedia {
  readonly model: string
  readonly stream: boolean
  readonly tokenLimitField: string
  /** Fields that a server wants beside OpenAI's. */
  readonly extra: Readonly<Record<string, unknown>>
}

/**
 * Writes a request as the body of a chat completion. Frames of a clip and slices of a volume become pictures in a row.
 *
 * @throws MODEL_REMOTE_ECG, MODEL_REMOTE_UNSUPPORTED, ENCODERS_IMAGE_ASPECT, ENCODERS_PIXEL_LIMITS
 */
export async function chatBody(request: GenerateRequest, options: BodyOptions): Promise<ChatBody> {
  const { prompt, samples, maxNewTokens = 512, stop = [], seed, temperature, topP, topLogprobs = 0 } = request
  if (!isMessages(prompt)) throw modelErrors.REMOTE_UNSUPPORTED({ what: 'a prompt of tokens' })
  if (request.grammar) throw modelErrors.REMOTE_UNSUPPORTED({ what: 'a grammar' })
  const messages = await Promise.all(
    prompt.map(async ({ role, content }) => ({ role, content: await chatContent(content, options) })),
  )
  return {
    model: options.model,
    messages,
    [options.tokenLimitField]: maxNewTokens,
    ...(samples !== undefined && samples > 1 && { n: samples }),
    ...(stop.length > 0 && { stop }),
    ...(seed !== undefined && { seed }),
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && topP < 1 && { top_p: topP }),
    ...(topLogprobs > 0 && { logprobs: true, top_logprobs: topLogprobs }),
    ...(options.stream && { stream: true, stream_options: { include_usage: true } }),
    ...options.extra,
  }
}

function isMessages(prompt: GenerateRequest['prompt']): prompt is readonly Message[] {
  return Array.isArray(prompt)
}

async function chatContent(content: Message['content'], media: RemoteMedia): Promise<string | ChatPart[]> {
  if (typeof content === 'string') return content
  return (await Promise.all(content.map(part => chatParts(part, media)))).flat()
}

async function chatParts(part: ContentPart, media: RemoteMedia): Promise<ChatPart[]> {
  switch (part.type) {
    case 'text':
      return [part]
    case 'image':
      return [picturePart(part.image, media)]
    case 'video':
      return part.frames.map(frame => picturePart(frame, media))
    default:
      return [await ecgPart(part.ecg, media)]
  }
}

function picturePart(image: RgbImage, { pictures }: RemoteMedia): ChatPart {
  if (pictures === 'stored') return pngPart(rgbPng(image))
  const size = seenSize(image, pictures)
  const isSame = size.width === image.width && size.height === image.height
  return pngPart(rgbPng(isSame ? image : resizeBicubic(image, size)))
}

function pngPart(png: Uint8Array): ChatPart {
  return { type: 'image_url', image_url: { url: `data:image/png;base64,${Buffer.from(png).toString('base64')}` } }
}

async function ecgPart(recording: EcgRecording, { ecgAs, drawEcg }: RemoteMedia): Promise<ChatPart> {
  if (ecgAs === 'picture' && drawEcg) return pngPart(await drawEcg(recording))
  if (ecgAs !== 'signal') throw modelErrors.REMOTE_ECG({})
  const { leads, samplingRateHz: fs, signalMv } = recording
  // Nine digits give a float32 back bit for bit.
  const values = leads.map(
    (lead, index) => [lead, Array.from(signalMv[index] ?? [], mv => Number(mv.toPrecision(9)))] as const,
  )
  return { type: 'input_ecg', input_ecg: { fs, units: 'mV', leads: Object.fromEntries(values) } }
}

/** Texts of a request, to keep them out of errors. */
export function textsOf({ messages }: ChatBody): string[] {
  return messages.flatMap(({ content }) =>
    typeof content === 'string' ? [content] : content.flatMap(part => (part.type === 'text' ? [part.text] : [])),
  )
}

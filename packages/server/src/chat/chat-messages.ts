import type { RgbImage } from '@qoq-med/data-climb'
import type { ContentPart, Message } from '@qoq-med/model'
import { requireAtMost, type ServerLimits } from '../limits.ts'
import type { DecodeMedia, SentFile } from '../media/decoded-media.ts'
import { ecgOfJson, requireEcgs, requireRecordings } from '../media/ecg-json.ts'
import { mediaContent } from '../media/media-content.ts'
import type { ChatPart, ChatRequest } from './chat-request.ts'
import { requirePicture } from '../media/data-url.ts'
import { longTextsOf, type LongTexts } from '../media/long-texts.ts'
import type { FetchMedia } from '../media/remote-media.ts'

/** The messages of a request, its pictures in their order, and what was changed or not applied in them. */
export interface ChatInput {
  readonly messages: readonly Message[]
  readonly images: readonly RgbImage[]
  readonly warnings: readonly string[]
}

/** How the media of messages are taken. */
export interface ChatMediaOptions {
  readonly limits: ServerLimits
  readonly decode: DecodeMedia
  /** Fetches a picture of another host; where it is missing, none is. */
  readonly fetchMedia?: FetchMedia | undefined
  /** Ends what is fetched. */
  readonly signal?: AbortSignal
}

/**
 * Decodes the messages of a body; pictures are shown as in training. Counts are checked first; pictures are decoded one after
 * the other, each within the pixels that those before it left over.
 *
 * @throws SERVER_LIMIT_EXCEEDED, SERVER_REMOTE_URL_REFUSED, SERVER_REMOTE_MEDIA_FAILED, SERVER_DATA_URL_INVALID, SERVER_IMAGE_FORMAT,
 *   DATA_IMAGE_UNREADABLE, DATA_IMAGE_TOO_LARGE, and the errors of other readers
 */
export async function chatMessages(
  body: Pick<ChatRequest, 'messages'>,
  { limits, decode, fetchMedia, signal }: ChatMediaOptions,
): Promise<ChatInput> {
  const { messages } = body
  const texts = longTextsOf(body)
  requireCounts(messages, limits)
  for (const text of texts.values()) requireAtMost(limits.fileCharacters, text.length, 'characters of a file')
  const budget: MediaBudget = {
    pixels: limits.imagePixels,
    limits,
    decode,
    fetchMedia,
    signal,
    texts,
    images: [],
    warnings: [],
  }
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

function requireCounts(messages: ChatRequest['messages'], limits: ServerLimits): void {
  const parts = messages.flatMap(({ content }) => (typeof content === 'string' ? [] : content))
  const texts = messages.flatMap(({ content }) =>
    typeof content === 'string' ? content.length : content.map(textLength),
  )
  requireAtMost(limits.textCharacters, sum(texts), 'characters')
  requireAtMost(limits.images, parts.filter(part => part.type === 'image_url').length, 'pictures')
  requireEcgs(
    parts.flatMap(part => (part.type === 'input_ecg' ? [part.input_ecg] : [])),
    limits,
  )
  const files = parts.filter(part => part.type === 'file')
  requireAtMost(limits.files, files.length, 'files')
  for (const { file } of files) requireAtMost(limits.fileCharacters, file.file_data.length, 'characters of a file')
}

/** What is left of the pixels that a request may hold, and what was decoded. */
interface MediaBudget {
  pixels: number
  readonly limits: ServerLimits
  readonly decode: DecodeMedia
  readonly fetchMedia: FetchMedia | undefined
  readonly signal: AbortSignal | undefined
  readonly texts: LongTexts
  readonly images: RgbImage[]
  readonly warnings: string[]
}

/** The files of a message are decoded together, where the first of them stands: some belong to each other. */
async function contentParts(parts: readonly ChatPart[], field: string, budget: MediaBudget): Promise<ContentPart[]> {
  const decoded: ContentPart[] = []
  const files = parts.flatMap((part, index) =>
    part.type === 'file' ? [chatFile(part, `${field}.${index}.file`, budget)] : [],
  )
  let isRead = false
  for (const [index, part] of parts.entries()) {
    if (part.type === 'text') decoded.push(part)
    else if (part.type === 'input_ecg') decoded.push({ type: 'ecg', ecg: ecgOfJson(part.input_ecg) })
    else if (part.type === 'image_url')
      decoded.push(...(await filesParts([await chatPicture(part, `${field}.${index}.image_url`, budget)], budget, 1)))
    else if (!isRead) {
      isRead = true
      decoded.push(...(await filesParts(files, budget)))
    }
  }
  return decoded
}

/** What is fetched has its bytes; of a data URL they are taken out where it is decoded. */
async function chatPicture(
  { image_url: image }: Extract<ChatPart, { type: 'image_url' }>,
  place: string,
  { fetchMedia, signal, texts }: MediaBudget,
): Promise<SentFile> {
  const short = typeof image === 'string' ? image : image.url
  const url = texts.get(typeof image === 'string' ? place : `${place}.url`) ?? short
  if (!fetchMedia || typeof url !== 'string' || !/^https?:/i.test(url))
    return { place, name: 'picture', url, isPicture: true }
  const bytes = await fetchMedia(url, place, { signal })
  requirePicture(bytes, place)
  return { place, name: 'picture', bytes }
}

function chatFile({ file }: Extract<ChatPart, { type: 'file' }>, place: string, { texts }: MediaBudget): SentFile {
  return { place, name: file.filename ?? 'file', url: texts.get(`${place}.file_data`) ?? file.file_data }
}

async function filesParts(files: readonly SentFile[], budget: MediaBudget, frames?: number): Promise<ContentPart[]> {
  const { limits, decode } = budget
  const media = await decode(files, { maxPixels: budget.pixels, ...(frames !== undefined && { frames }) })
  const images = media.groups.flatMap(({ pictures }) => pictures.map(({ image }) => image))
  budget.images.push(...images)
  budget.warnings.push(...media.warnings)
  for (const { width, height } of images) budget.pixels -= width * height
  requireRecordings(media.ecgs, limits)
  return mediaContent(media)
}

function textLength(part: ChatPart): number {
  return part.type === 'text' ? part.text.length : 0
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

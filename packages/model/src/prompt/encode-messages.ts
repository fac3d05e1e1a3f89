import type { EcgRecording, Encoder, PixelPatches, PreparedEcg, RgbImage } from '@qoq-med/encoders'
import { modelErrors } from '../errors.ts'
import type { Tokenizer } from '../tokenizer/tokenizer.ts'
import { renderChat, type TemplateMessage, type TemplateTokens } from './chat-template.ts'
import type { Encoded } from './encoded.ts'
import type { ContentPart, Message } from './message.ts'
import { mropePositions, tokenType, type MropeRule } from '../architectures/qwen2.5-vl/positions.ts'
import { renderProtected } from './protected-text.ts'

/** The encoders of a model that prepare media; a model for text has none. */
export interface PromptEncoders {
  readonly vision?: Encoder<RgbImage | readonly RgbImage[], PixelPatches> | undefined
  readonly ecg?: Encoder<EcgRecording, PreparedEcg> | undefined
}

/** What turns messages into a prompt. */
export interface MessageEncoder {
  readonly tokenizer: Tokenizer
  readonly chatTemplate: string
  /** Special tokens that the template may write, by name. */
  readonly templateTokens?: TemplateTokens
  readonly encoders: PromptEncoders
  /** The longest prompt, in tokens. */
  readonly maxPositions: number
  /** Patches merged along each side of an image. Default 2. */
  readonly spatialMergeSize?: number
  /** Temporal positions per second of video. Default 2. */
  readonly tokensPerSecond?: number
  /** Default `legacy`. */
  readonly mropeRule?: MropeRule
}

/** Options of `encodeMessages`. */
export interface EncodeMessagesOptions {
  /** Whether the prompt ends with the opening of the assistant's turn. Default true. */
  readonly addGenerationPrompt?: boolean
}

/**
 * Turns messages into what the model reads: the chat template's text as tokens, a placeholder for every token that an
 * encoder will give, their M-RoPE positions, and the prepared media. Special tokens come from the template alone; in the
 * messages' text they are ordinary text.
 *
 * @throws MODEL_CHAT_TEMPLATE, MODEL_PLACEHOLDER_MISMATCH, MODEL_MODALITY_UNSUPPORTED, MODEL_CONTEXT_TOO_LONG, and what the
 *   encoders' preprocessing throws
 */
export function encodeMessages(
  model: MessageEncoder,
  messages: readonly Message[],
  { addGenerationPrompt = true }: EncodeMessagesOptions = {},
): Encoded {
  const media = prepareMedia(model.encoders, messages)
  const tokens = expandedTokens(model, messages, media, addGenerationPrompt)
  if (tokens.ids.length > model.maxPositions) {
    throw modelErrors.CONTEXT_TOO_LONG({ tokens: tokens.ids.length, limit: model.maxPositions })
  }
  const { positionIds, ropeDelta } = mropePositions(tokens.types, {
    imageGrids: media.flatMap(({ kind, patches }) => (kind === 'image' && patches ? [patches.gridThw] : [])),
    videoGrids: media.flatMap(({ kind, patches }) => (kind === 'video' && patches ? [patches.gridThw] : [])),
    spatialMergeSize: model.spatialMergeSize ?? 2,
    tokensPerSecond: model.tokensPerSecond ?? 2,
    rule: model.mropeRule ?? 'legacy',
  })
  return {
    tokenIds: Int32Array.from(tokens.ids),
    positionIds,
    ropeDelta,
    visionPositions: Int32Array.from(tokens.vision),
    ecgPositions: Int32Array.from(tokens.ecg),
    vision: media.flatMap(({ patches }) => patches ?? []),
    ecgs: media.flatMap(({ signal }) => (signal ? [signal] : [])),
  }
}

type MediaKind = 'image' | 'video' | 'ecg'

/** A prepared picture, clip or ECG and the positions that it takes. */
interface Medium {
  readonly kind: MediaKind
  readonly tokens: number
  readonly patches?: PixelPatches
  readonly signal?: PreparedEcg
}

const placeholders: Readonly<Record<string, MediaKind>> = {
  '<|image_pad|>': 'image',
  '<|video_pad|>': 'video',
  '<|time_series_pad|>': 'ecg',
}

function prepareMedia(encoders: PromptEncoders, messages: readonly Message[]): Medium[] {
  const parts = messages.flatMap(({ content }) => (typeof content === 'string' ? [] : content))
  return parts.flatMap(part => (part.type === 'text' ? [] : [prepared(encoders, part)]))
}

function prepared(encoders: PromptEncoders, part: Exclude<ContentPart, { type: 'text' }>): Medium {
  if (part.type === 'ecg') {
    if (!encoders.ecg) throw modelErrors.MODALITY_UNSUPPORTED({ modality: 'ECG', need: 'it has no ECG encoder' })
    const signal = encoders.ecg.preprocess(part.ecg)
    return { kind: 'ecg', tokens: encoders.ecg.tokens(signal), signal }
  }
  if (!encoders.vision) throw modelErrors.MODALITY_UNSUPPORTED({ modality: part.type, need: 'it has no vision tower' })
  const patches = encoders.vision.preprocess(part.type === 'image' ? part.image : part.frames)
  return { kind: part.type, tokens: encoders.vision.tokens(patches), patches }
}

interface ExpandedTokens {
  readonly ids: number[]
  /** Values of `tokenType`, one per id. */
  readonly types: number[]
  readonly vision: number[]
  readonly ecg: number[]
}

function expandedTokens(
  { tokenizer, chatTemplate, templateTokens = {} }: MessageEncoder,
  messages: readonly Message[],
  media: readonly Medium[],
  addGenerationPrompt: boolean,
): ExpandedTokens {
  const options = { addGenerationPrompt, tokens: templateTokens }
  const render = (given: readonly TemplateMessage[]): string => renderChat(chatTemplate, given, options)
  const hidden = renderProtected(messages.map(templateMessage), controlTokens(tokenizer), render)
  const parts = tokenizer.split(hidden.text)
  checkPlaceholders(parts, media)
  const result: ExpandedTokens = { ids: [], types: [], vision: [], ecg: [] }
  let next = 0
  for (const part of parts) {
    if (typeof part === 'string') append(result, tokenizer.encode(hidden.restore(part)))
    else if (placeholders[part.content] === undefined) append(result, [part.id])
    else appendMedium(result, part.id, media[next++]!) // as many as placeholders, just checked
  }
  return result
}

/**
 * Tokens that a text from outside must not yield: the special ones, and all that look like them. Others, such as
 * `</think>` of Qwen3, are written by models in their answers, and read as they were written.
 */
function controlTokens({ addedTokens }: Tokenizer): string[] {
  return addedTokens
    .filter(({ special, content }) => special || /^<\|.*\|>$/.test(content))
    .map(({ content }) => content)
}

function append({ ids, types }: ExpandedTokens, tokens: readonly number[]): void {
  for (const token of tokens) {
    ids.push(token)
    types.push(tokenType.text)
  }
}

function appendMedium(result: ExpandedTokens, id: number, { kind, tokens }: Medium): void {
  for (let i = 0; i < tokens; i++) {
    const places = kind === 'ecg' ? result.ecg : result.vision
    places.push(result.ids.length)
    result.ids.push(id)
    // ECG tokens take text positions (docs/paper-map.md#model).
    result.types.push(kind === 'ecg' ? tokenType.text : tokenType[kind])
  }
}

/** The template must write one placeholder per medium, of its kind and in its order. */
function checkPlaceholders(parts: readonly (string | { content: string })[], media: readonly Medium[]): void {
  const found = parts.flatMap(part => (typeof part === 'string' ? [] : (placeholders[part.content] ?? [])))
  for (const [token, kind] of Object.entries(placeholders)) {
    const [places, expected] = [found, media.map(medium => medium.kind)].map(
      kinds => kinds.filter(each => each === kind).length,
    )
    if (places !== expected) throw modelErrors.PLACEHOLDER_MISMATCH({ token, found: places!, expected: expected! })
  }
  const at = found.findIndex((kind, i) => kind !== media[i]?.kind)
  if (at >= 0)
    throw modelErrors.CHAT_TEMPLATE({ problem: `it puts media in another order than the messages (place ${at})` })
}

function templateMessage({ role, content }: Message): TemplateMessage {
  if (typeof content === 'string') return { role, content }
  const names = { image: 'image', video: 'video', ecg: 'time-series' } as const
  const parts = content.map(part =>
    part.type === 'text' ? { type: 'text', text: part.text } : { type: names[part.type] },
  )
  return { role, content: parts }
}

import { Interpreter } from '@huggingface/jinja'
import { modelErrors } from '../errors.ts'
import { pythonDate } from './python-date.ts'
import { parseTemplate, templateEnvironment, type TemplateProgram } from './template-program.ts'
import { withTimeLimit } from './time-limit.ts'

/** The template of Qwen2.5-VL with ECGs: a default system message, one placeholder per image, video and ECG. */
export const defaultChatTemplate: string = [
  "{% set image_count = namespace(value=0) %}{% set video_count = namespace(value=0) %}{% for message in messages %}{% if loop.first and message['role'] != 'system' %}<|im_start|>system",
  'You are a helpful assistant.<|im_end|>',
  "{% endif %}<|im_start|>{{ message['role'] }}",
  "{% if message['content'] is string %}{{ message['content'] }}<|im_end|>",
  "{% else %}{% for content in message['content'] %}{% if content['type'] == 'image' or 'image' in content or 'image_url' in content %}{% set image_count.value = image_count.value + 1 %}{% if add_vision_id %}Picture {{ image_count.value }}: {% endif %}<|vision_start|><|image_pad|><|vision_end|>{% elif content['type'] == 'video' or 'video' in content %}{% set video_count.value = video_count.value + 1 %}{% if add_vision_id %}Video {{ video_count.value }}: {% endif %}<|vision_start|><|video_pad|><|vision_end|>{% elif content['type'] == 'time-series' %}<|time_series_pad|>{% elif 'text' in content %}{{ content['text'] }}{% endif %}{% endfor %}<|im_end|>",
  '{% endif %}{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant',
  '{% endif %}',
].join('\n')

/** A message as a chat template sees it: text, or parts whose media are only named. */
export interface TemplateMessage {
  readonly role: string
  readonly content: string | readonly { readonly type: string; readonly text?: string }[]
}

/** What a template may write beside the messages: the special tokens of the tokenizer, by their names in its config. */
export interface TemplateTokens {
  readonly bos_token?: string
  readonly eos_token?: string
  readonly pad_token?: string
  readonly unk_token?: string
  readonly sep_token?: string
  readonly cls_token?: string
  readonly mask_token?: string
}

/** Options of `renderChat`. */
export interface RenderOptions {
  /** Whether the text ends with the opening of the assistant's turn. */
  readonly addGenerationPrompt?: boolean
  /** Whether images and videos are numbered in the text. */
  readonly addVisionId?: boolean
  readonly tokens?: TemplateTokens
  /** The date that `strftime_now` tells; now by default. */
  readonly date?: Date
  /** Milliseconds that rendering may take, 2,000 by default. */
  readonly timeLimitMs?: number
}

/** Larger than any real template. */
const maxTemplateLength = 1 << 20
/** Numbers that `range` may give; a template counts messages. */
const maxRange = 100_000
/** Characters of a rendered chat, beside those of its messages. */
const maxOutputLength = 1 << 22
const defaultTimeLimitMs = 2000

/**
 * Renders messages with a Hugging Face chat template (Jinja as transformers sets it up: trim_blocks, lstrip_blocks, loop
 * controls, `strftime_now`, `raise_exception`, the tokenizer's special tokens). The template is interpreted, it reaches
 * nothing but what it is given, and its time and output are bounded.
 *
 * @throws MODEL_CHAT_TEMPLATE
 */
export function renderChat(
  template: string,
  messages: readonly TemplateMessage[],
  options: RenderOptions = {},
): string {
  const { timeLimitMs = defaultTimeLimitMs } = options
  if (template.length > maxTemplateLength)
    throw modelErrors.CHAT_TEMPLATE({ problem: `it has ${template.length} characters` })
  for (let tries = 1; ; tries++) {
    const { user, system } = process.cpuUsage()
    try {
      return withTimeLimit(timeLimitMs, () => rendered(template, messages, options))
    } catch (cause) {
      const used = process.cpuUsage({ user, system })
      const wasSuspended = isTimeout(cause) && (used.user + used.system) / 1000 < timeLimitMs / 2
      if (wasSuspended && tries < mostTries) continue
      throw modelErrors.CHAT_TEMPLATE({ problem: problemOf(cause, timeLimitMs) }, { cause })
    }
  }
}

/** The limit is one of the clock: where a computer slept, or a process was stopped, its time ran out and nothing was done. */
const mostTries = 3

function rendered(
  template: string,
  messages: readonly TemplateMessage[],
  { addGenerationPrompt = false, addVisionId = false, tokens = {}, date = new Date() }: RenderOptions,
): string {
  const variables = {
    ...tokens,
    messages,
    add_generation_prompt: addGenerationPrompt,
    add_vision_id: addVisionId,
    tools: null,
    documents: null,
    strftime_now: (format: unknown) => pythonDate(date, String(format)),
  }
  const program = programs.get(template) ?? parseTemplate(template)
  programs.clear() // one template at a time is in use
  programs.set(template, program)
  const text = String(new Interpreter(templateEnvironment(variables, maxRange)).run(program).value)
  const given = messages.reduce((sum, message) => sum + JSON.stringify(message).length, 0)
  if (text.length > maxOutputLength + 4 * given) throw new Error(`it writes ${text.length} characters`)
  return text
}

const programs = new Map<string, TemplateProgram>()

function problemOf(cause: unknown, timeLimitMs: number): string {
  if (typeof cause !== 'object' || cause === null) return 'it threw no error'
  if (isTimeout(cause)) return `it takes more than ${timeLimitMs} ms`
  return 'message' in cause ? String(cause.message) : 'it threw no error'
}

function isTimeout(cause: unknown): boolean {
  return typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
}

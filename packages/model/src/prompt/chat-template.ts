import { Template } from '@huggingface/jinja'
import { modelErrors } from '../errors.ts'

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

/** Options of `renderChat`. */
export interface RenderOptions {
  /** Whether the text ends with the opening of the assistant's turn. */
  readonly addGenerationPrompt?: boolean
  /** Whether images and videos are numbered in the text. */
  readonly addVisionId?: boolean
}

/**
 * Renders messages with a Hugging Face chat template (Jinja; trim_blocks and lstrip_blocks as in transformers). The
 * template is interpreted, it cannot reach anything but the messages.
 *
 * @throws MODEL_CHAT_TEMPLATE
 */
export function renderChat(
  template: string,
  messages: readonly TemplateMessage[],
  options: RenderOptions = {},
): string {
  const { addGenerationPrompt = false, addVisionId = false } = options
  try {
    return new Template(template).render({
      messages,
      add_generation_prompt: addGenerationPrompt,
      add_vision_id: addVisionId,
    })
  } catch (cause) {
    throw modelErrors.CHAT_TEMPLATE(
      { problem: cause instanceof Error ? cause.message : 'it threw no error' },
      { cause },
    )
  }
}

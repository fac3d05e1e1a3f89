import { z } from 'zod'
import { modelErrors } from '../errors.ts'
import type { TemplateTokens } from '../prompt/chat-template.ts'
import { parsedDocument, type ModelDocuments } from './model-documents.ts'

const SpecialToken = z.union([z.string(), z.looseObject({ content: z.string() })]).nullish()
const NamedTemplates = z.array(z.looseObject({ name: z.string(), template: z.string() }))

const TokenizerConfig = z.looseObject({
  chat_template: z.union([z.string(), NamedTemplates, z.record(z.string(), z.string())]).nullish(),
  bos_token: SpecialToken,
  eos_token: SpecialToken,
  pad_token: SpecialToken,
  unk_token: SpecialToken,
  sep_token: SpecialToken,
  cls_token: SpecialToken,
  mask_token: SpecialToken,
})

const tokenNames = ['bos_token', 'eos_token', 'pad_token', 'unk_token', 'sep_token', 'cls_token', 'mask_token'] as const

/** What a folder says about its prompts. */
export interface TemplateConfig {
  readonly chatTemplate: string | undefined
  /** Special tokens by the names that templates know. */
  readonly tokens: TemplateTokens
}

/**
 * Reads the chat template and the special tokens of a folder. The template has its own file, or stands in
 * chat_template.json or tokenizer_config.json, as a text or as a list of named ones, of which `default` is taken.
 *
 * @throws MODEL_FOLDER_INVALID for several templates of which none is the default
 */
export function templateConfig(documents: ModelDocuments, folder: string): TemplateConfig {
  const config = TokenizerConfig.safeParse(parsedDocument(documents, 'tokenizer_config.json', folder) ?? {}).data
  const special = TokenizerConfig.safeParse(parsedDocument(documents, 'special_tokens_map.json', folder) ?? {}).data
  const tokens = tokenNames.flatMap(name => {
    const token = config?.[name] ?? special?.[name]
    return token == null ? [] : [[name, typeof token === 'string' ? token : token.content] as const]
  })
  return { chatTemplate: chatTemplate(documents, folder), tokens: Object.fromEntries(tokens) }
}

function chatTemplate(documents: ModelDocuments, folder: string): string | undefined {
  const ownFile = documents.get('chat_template.jinja')
  if (ownFile !== undefined) return ownFile
  for (const name of ['chat_template.json', 'tokenizer_config.json'] as const) {
    const template = TokenizerConfig.safeParse(parsedDocument(documents, name, folder)).data?.chat_template
    if (template == null) continue
    return typeof template === 'string' ? template : defaultOf(template, name, folder)
  }
  return undefined
}

function defaultOf(
  templates: z.output<typeof NamedTemplates> | Readonly<Record<string, string>>,
  file: string,
  folder: string,
): string {
  const named = new Map(
    Array.isArray(templates) ? templates.map(({ name, template }) => [name, template]) : Object.entries(templates),
  )
  const [only] = named.size === 1 ? [...named.values()] : []
  const found = named.get('default') ?? only
  if (found !== undefined) return found
  const names = [...named.keys()].join(', ')
  throw modelErrors.FOLDER_INVALID({
    folder,
    problem: `${file} has the chat templates ${names}, and none is the default`,
  })
}

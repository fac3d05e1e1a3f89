import { z } from 'zod'
import { modelErrors } from '../errors.ts'
import type { TemplateTokens } from '../prompt/chat-template.ts'
import { parsedDocument, type ModelDocuments } from '../checkpoint/model-documents.ts'

const SpecialToken = z.union([z.string(), z.looseObject({ content: z.string() })]).nullish()
const NamedTemplates = z.array(z.looseObject({ name: z.string(), template: z.string() }))

const Template = z.union([z.string(), NamedTemplates, z.record(z.string(), z.string())]).nullish()
const Fields = z.looseObject({})

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
 * @throws MODEL_FOLDER_INVALID for a template that is no text, and for several of which none is the default
 */
export function templateConfig(documents: ModelDocuments, folder: string): TemplateConfig {
  const fields = (['tokenizer_config.json', 'special_tokens_map.json'] as const).map(file =>
    Fields.parse(parsedDocument(documents, file, folder) ?? {}),
  )
  const tokens = tokenNames.flatMap(name => {
    // A token that is no text, such as `false`, is none; the others stand.
    const token = fields.map(one => SpecialToken.safeParse(one[name]).data).find(one => one != null)
    return token == null ? [] : [[name, typeof token === 'string' ? token : token.content] as const]
  })
  return { chatTemplate: chatTemplate(documents, folder), tokens: Object.fromEntries(tokens) }
}

function chatTemplate(documents: ModelDocuments, folder: string): string | undefined {
  const ownFile = documents.get('chat_template.jinja')
  if (ownFile !== undefined) return ownFile
  for (const name of ['chat_template.json', 'tokenizer_config.json'] as const) {
    const { chat_template: written } = Fields.parse(parsedDocument(documents, name, folder) ?? {})
    const { data: template, success } = Template.safeParse(written)
    if (!success) throw modelErrors.FOLDER_INVALID({ folder, problem: `the chat_template of ${name} is no template` })
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

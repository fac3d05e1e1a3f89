import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { configDocument } from '../checkpoint/model-config.ts'
import type { ModelDocuments } from '../checkpoint/model-documents.ts'
import { imageProcessorDocument } from '../checkpoint/preprocessor-config.ts'
import { writeFolderAtomically } from '../checkpoint/write-folder.ts'
import { indexFile, writeWeights, type WriteWeightsOptions } from '../checkpoint/write-weights.ts'
import type { PolicyModel } from '../composition/policy-model.ts'

/** Options of `saveModel`. */
export interface SaveModelOptions extends Omit<WriteWeightsOptions, 'plan' | 'index'> {
  /** A model card in Markdown, written as README.md. */
  readonly card?: string | undefined
}

/**
 * Writes a model as a Hugging Face folder that transformers loads: all of it or nothing. A model that came from a folder
 * is written with the names, element types, files and documents that it had there.
 *
 * @param weights a weight by its name
 * @throws MODEL_OUTPUT_EXISTS when the folder holds something else than a model
 */
export async function saveModel(
  folder: string,
  model: PolicyModel,
  weights: (name: string) => Float32Array,
  options: SaveModelOptions = {},
): Promise<void> {
  await writeModelFolder(folder, model, weights, { mayReplace: true, ...options })
}

/** As `saveModel`, with weights that may be fetched when their turn comes. */
export async function writeModelFolder(
  folder: string,
  model: PolicyModel,
  weights: (name: string) => Float32Array | Promise<Float32Array>,
  { mayReplace, card, ...options }: SaveModelOptions & { readonly mayReplace: boolean },
): Promise<void> {
  const named = model.parameters.map(({ name, shape }) => ({ name, shape, data: async () => weights(name) }))
  const fill = async (temporary: string): Promise<void> => {
    const documents = modelDocuments(model)
    if (card !== undefined) await writeFile(join(temporary, 'README.md'), card)
    for (const [name, text] of documents) {
      if (name === indexFile) continue
      const isRetyped = name === 'config.json' && options.dtype !== undefined
      await writeFile(join(temporary, name), isRetyped ? retyped(text, options.dtype!) : text)
    }
    const index = documents.get(indexFile)
    await writeWeights(temporary, named, { ...options, index, ...(model.stored && { plan: model.stored }) })
  }
  await writeFolderAtomically(folder, fill, mayReplace ? 'config.json' : undefined)
}

const torchTypes = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const

/** A config.json that names another element type. */
function retyped(text: string, dtype: keyof typeof torchTypes): string {
  const config = JSON.parse(text) as Record<string, unknown> // it was read as a config before
  const field = 'dtype' in config ? 'dtype' : 'torch_dtype'
  return json({ ...config, [field]: torchTypes[dtype] })
}

function modelDocuments(model: PolicyModel): ModelDocuments {
  if (model.documents.size > 0) return model.documents
  const { padding } = model.config.tokenIds
  return new Map([
    ['config.json', json(configDocument(model.config))],
    ['generation_config.json', json({ do_sample: false, eos_token_id: [...model.endTokenIds], pad_token_id: padding })],
    ...(model.config.vision
      ? [['preprocessor_config.json', json(imageProcessorDocument(model.imageProcessor))] as const]
      : []),
    ['tokenizer.json', model.tokenizer.json],
    ['tokenizer_config.json', json(tokenizerDocument(model))],
    ['chat_template.jinja', model.chatTemplate],
  ] as const)
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

function tokenizerDocument({ tokenizer, config }: PolicyModel): object {
  const content = (id: number | undefined): string | null =>
    tokenizer.addedTokens.find(token => token.id === id)?.content ?? null
  return {
    bos_token: null,
    clean_up_tokenization_spaces: false,
    eos_token: content(config.tokenIds.endOfSequence[0]),
    extra_special_tokens: tokenizer.addedTokens.filter(token => token.special).map(token => token.content),
    model_max_length: config.decoder.maxPositions,
    pad_token: content(config.tokenIds.padding),
    tokenizer_class: 'PreTrainedTokenizerFast',
    unk_token: null,
  }
}

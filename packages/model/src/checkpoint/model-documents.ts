import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { modelErrors } from '../errors.ts'
import { parseObject } from './json-keys.ts'

/** The small files of a model folder, in the order in which they are written. */
const names = [
  'config.json',
  'generation_config.json',
  'preprocessor_config.json',
  'video_preprocessor_config.json',
  'processor_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
  'chat_template.json',
  'vocab.json',
  'merges.txt',
  'model.safetensors.index.json',
] as const

/** Name of a small file of a model folder. */
export type DocumentName = (typeof names)[number]

/** Texts of the small files that a model folder has; written back as they were read. */
export type ModelDocuments = ReadonlyMap<DocumentName, string>

/** Larger than any real tokenizer (that of Qwen2.5 has 7 MB). */
const maxDocumentBytes = 1 << 26

/** Reads the small files of a folder. @throws MODEL_FOLDER_INVALID */
export async function readDocuments(folder: string): Promise<ModelDocuments> {
  const documents = new Map<DocumentName, string>()
  for (const name of names) {
    const path = join(folder, name)
    const size = await stat(path).then(
      status => status.size,
      () => undefined,
    )
    if (size === undefined) continue
    if (size > maxDocumentBytes) throw modelErrors.FOLDER_INVALID({ folder, problem: `${name} has ${size} bytes` })
    documents.set(name, await readFile(path, 'utf8'))
  }
  if (!documents.has('config.json')) throw modelErrors.FOLDER_INVALID({ folder, problem: 'it has no config.json' })
  return documents
}

/** Parses a JSON document of the folder; undefined where there is none. @throws MODEL_FOLDER_INVALID */
export function parsedDocument(documents: ModelDocuments, name: DocumentName, folder: string): unknown {
  const text = documents.get(name)
  if (text === undefined) return undefined
  return parseObject(withoutMark(text), problem =>
    modelErrors.FOLDER_INVALID({ folder, problem: `${name} ${problem}` }),
  )
}

/** Drops the byte order mark that some editors put first; the file itself stays as it is. */
function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}

import { isFields, listOf } from '../json-values.ts'

/** The long texts of a body by the field that they stood in, such as `files.0.data`, in UTF-8. */
export type LongTexts = ReadonlyMap<string, Uint8Array>

/** Characters from which a text is worth being taken out. */
const longCharacters = 2 ** 16

const taken = new WeakMap<object, LongTexts>()

/**
 * Takes the long texts of files out of a body and leaves empty ones: a text of 30 MB is copied whenever it goes from one thread to
 * another, and its bytes are not. They go from the thread that parses to the one that decodes.
 *
 * @param body as it was parsed, of any shape; changed
 */
export function takeLongTexts(body: unknown): LongTexts {
  const texts = new Map<string, Uint8Array>()
  const take = (fields: unknown, name: string, place: string): void => {
    if (!isFields(fields)) return
    const text = fields[name]
    if (typeof text !== 'string' || text.length < longCharacters) return
    texts.set(`${place}.${name}`, new TextEncoder().encode(text))
    fields[name] = ''
  }
  if (!isFields(body)) return texts
  listOf(body['files']).forEach((file, at) => take(file, 'data', `files.${at}`))
  listOf(body['messages']).forEach((message, turn) => {
    if (!isFields(message)) return
    listOf(message['content']).forEach((part, at) => {
      if (!isFields(part)) return
      const place = `messages.${turn}.content.${at}`
      take(part, 'image_url', place)
      take(part['image_url'], 'url', `${place}.image_url`)
      take(part['file'], 'file_data', `${place}.file`)
    })
  })
  return texts
}

/** Keeps what was taken out of a body for as long as there is the body. */
export function keepLongTexts(body: unknown, texts: LongTexts): void {
  if (texts.size > 0 && isFields(body)) taken.set(body, texts)
}

/** What was taken out of a body. */
export function longTextsOf(body: object): LongTexts {
  return taken.get(body) ?? new Map()
}

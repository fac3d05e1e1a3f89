/** Shorter texts are words of ours as often as of the client's. */
const shortest = 3
/** What stands for a word of the client's. */
const stand = '(withheld)'

/**
 * Takes the client's words out of a sentence: names of leads, fields, presets and labels are the client's own, and may say
 * who a patient is.
 *
 * @param sentence of an error
 * @param body of the request, as it was parsed
 * @param own names that this server knows: they may stay
 */
export function withoutClientWords(sentence: string, body: unknown, own: ReadonlySet<string>): string {
  let result = sentence
  for (const text of textsIn(sentence, body)) {
    if (own.has(text) || !result.includes(text)) continue
    result = result.replaceAll(new RegExp(`(?<![\\w])${escaped(text)}(?![\\w])`, 'g'), stand)
  }
  return result
}

/** The keys and texts of a value that a sentence has, the longest first, so that a part of a name does not hide the rest of it. */
function textsIn(sentence: string, body: unknown): string[] {
  const found = new Set<string>()
  const add = (written: string): void => {
    const text = written.trim()
    if (text.length >= shortest && text.length <= sentence.length && sentence.includes(text)) found.add(text)
  }
  const waiting: unknown[] = [body]
  while (waiting.length > 0) {
    const value = waiting.pop()
    if (typeof value === 'string') add(value)
    else if (Array.isArray(value)) for (const one of value) waiting.push(one)
    else if (typeof value === 'object' && value !== null)
      for (const [key, one] of Object.entries(value)) {
        add(key)
        waiting.push(one)
      }
  }
  return [...found].toSorted((a, b) => b.length - a.length)
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
}

/** Texts of a body beyond this many are not looked for. */
const maxTexts = 200_000
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
  for (const text of textsOf(body)) {
    if (text.length < shortest || text.length > sentence.length || own.has(text) || !result.includes(text)) continue
    result = result.replaceAll(new RegExp(`(?<![\\w])${escaped(text)}(?![\\w])`, 'g'), stand)
  }
  return result
}

/** The keys and texts of a value, the longest first, so that a part of a name does not hide the rest of it. */
function textsOf(body: unknown): string[] {
  const found = new Set<string>()
  const waiting: unknown[] = [body]
  while (waiting.length > 0 && found.size < maxTexts) {
    const value = waiting.pop()
    if (typeof value === 'string') found.add(value.trim())
    else if (Array.isArray(value)) for (const one of value) waiting.push(one)
    else if (typeof value === 'object' && value !== null)
      for (const [key, one] of Object.entries(value)) {
        found.add(key.trim())
        waiting.push(one)
      }
  }
  return [...found].toSorted((a, b) => b.length - a.length)
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
}

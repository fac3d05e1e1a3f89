/** A token that is matched as a whole before the text is split: `<|im_start|>`, `<|image_pad|>`, … */
export interface AddedToken {
  readonly id: number
  readonly content: string
  /** Whether it is a control token that decoding may leave out. */
  readonly special: boolean
  /** Whether it swallows the white space before it. */
  readonly lstrip: boolean
  /** Whether it swallows the white space after it. */
  readonly rstrip: boolean
}

/** Makes a function that cuts a text at the added tokens; the longest of several that match at a place wins. */
export function addedTokenSplitter(tokens: readonly AddedToken[]): (text: string) => (string | AddedToken)[] {
  if (tokens.length === 0) return text => [text]
  const byContent = new Map(tokens.map(token => [token.content, token]))
  const longestFirst = tokens.toSorted((a, b) => b.content.length - a.content.length)
  const pattern = new RegExp(longestFirst.map(token => escapeRegExp(token.content)).join('|'), 'g')
  return text => {
    const parts: (string | AddedToken)[] = []
    let start = 0
    let stripStart = false
    for (const match of text.matchAll(pattern)) {
      const token = byContent.get(match[0])! // the pattern is made of these
      parts.push(stripped(text.slice(start, match.index), stripStart, token.lstrip), token)
      start = match.index + match[0].length
      stripStart = token.rstrip
    }
    parts.push(stripped(text.slice(start), stripStart, false))
    return parts.filter(part => part !== '')
  }
}

function stripped(text: string, start: boolean, end: boolean): string {
  const withoutStart = start ? text.trimStart() : text
  return end ? withoutStart.trimEnd() : withoutStart
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

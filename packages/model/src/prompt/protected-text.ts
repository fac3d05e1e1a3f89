import type { TemplateMessage } from './chat-template.ts'

/** A rendered chat in which every special token was written by the template. */
export interface ProtectedChat {
  /** The chat, in which special tokens of the messages' text are hidden. */
  readonly text: string
  /** Puts the original characters back into a part of the text. */
  restore(part: string): string
}

/**
 * Renders messages so that every special token that is found afterwards was written by the template, not by a user.
 *
 * First the edges of special tokens (`<` and `>`) are hidden everywhere in the messages' text, behind private-use characters
 * that occur nowhere in it: not even halves that the template joins become a token. A template that looks at the text, for
 * `</think>` say, would render something else; so where the result differs from that of the true text, only whole special
 * tokens are hidden, and their halves at the ends of a text.
 *
 * @param tokens contents of the special tokens
 * @param render the chat template
 */
export function renderProtected(
  messages: readonly TemplateMessage[],
  tokens: readonly string[],
  render: (messages: readonly TemplateMessage[]) => string,
): ProtectedChat {
  const edges = [...new Set(tokens.flatMap(token => [token.slice(0, 1), token.slice(-1)]))]
  const texts = messages.flatMap(({ content }) => textsOf(content))
  const plain = render(messages)
  if (!texts.some(text => edges.some(edge => text.includes(edge)))) return { text: plain, restore: part => part }
  const table = hidingTable(edges, texts.join('') + plain)
  const restore = (part: string): string => replaced(part, table.shown)
  const everywhere = render(mapText(messages, text => replaced(text, table.hidden)))
  if (restore(everywhere) === plain) return { text: everywhere, restore }
  const wholeTokens = render(mapText(messages, text => hideTokens(text, tokens, table.hidden)))
  return { text: wholeTokens, restore }
}

/** Hides whole tokens, and a half of one at the start or the end of a text, with or without blanks around it. */
function hideTokens(text: string, tokens: readonly string[], hidden: ReadonlyMap<string, string>): string {
  const hide = (found: string): string => replaced(found, hidden)
  let result = text
  for (const token of tokens) result = result.replaceAll(token, hide)
  const [start, end] = [result.length - result.trimStart().length, result.trimEnd().length]
  const core = result.slice(start, end)
  const first = longestHalf(
    tokens,
    half => core.startsWith(half),
    token => suffixesOf(token),
  )
  const last = longestHalf(
    tokens,
    half => core.endsWith(half),
    token => prefixesOf(token),
  )
  if (first + last >= core.length) return hide(result)
  const [head, tail] = [core.slice(0, first), core.slice(core.length - last)]
  return result.slice(0, start) + hide(head) + core.slice(first, core.length - last) + hide(tail) + result.slice(end)
}

function longestHalf(
  tokens: readonly string[],
  isThere: (half: string) => boolean,
  halvesOf: (token: string) => readonly string[],
): number {
  return Math.max(0, ...tokens.flatMap(halvesOf).map(half => (isThere(half) ? half.length : 0)))
}

const prefixesOf = (token: string): string[] =>
  Array.from({ length: token.length - 1 }, (_, i) => token.slice(0, i + 1))
const suffixesOf = (token: string): string[] => Array.from({ length: token.length - 1 }, (_, i) => token.slice(i + 1))

function mapText(messages: readonly TemplateMessage[], change: (text: string) => string): TemplateMessage[] {
  return messages.map(({ role, content }) => ({
    role,
    content:
      typeof content === 'string'
        ? change(content)
        : content.map(part => (part.text === undefined ? part : { ...part, text: change(part.text) })),
  }))
}

function textsOf(content: TemplateMessage['content']): string[] {
  return typeof content === 'string' ? [content] : content.map(part => part.text ?? '')
}

function hidingTable(edges: readonly string[], used: string): Record<'hidden' | 'shown', ReadonlyMap<string, string>> {
  const free = freeCharacters(new Set(used), edges.length)
  const pairs = edges.map((edge, i) => [edge, free[i]!] as const)
  return { hidden: new Map(pairs), shown: new Map(pairs.map(([edge, char]) => [char, edge])) }
}

function freeCharacters(used: ReadonlySet<string>, count: number): string[] {
  const free: string[] = []
  // As long as what they stand for, so that a template that counts characters counts the same; the two private planes after
  // them have more than any prompt can use up.
  for (let code = 0xe000; free.length < count; code = code === 0xf8ff ? 0xf0000 : code + 1) {
    const char = String.fromCodePoint(code)
    if (!used.has(char)) free.push(char)
  }
  return free
}

function replaced(text: string, table: ReadonlyMap<string, string>): string {
  let result = ''
  for (const char of text) result += table.get(char) ?? char
  return result
}

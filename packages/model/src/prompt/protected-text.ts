import type { TemplateMessage } from './chat-template.ts'

/** Texts in which no special token can be found, and the way back. */
export interface ProtectedMessages {
  readonly messages: readonly TemplateMessage[]
  /** Puts the original characters back. */
  restore(text: string): string
}

/**
 * Hides the first and last characters of all special tokens (`<` and `>`) in the messages' text behind private-use
 * characters that occur nowhere in it. After rendering, every special token that is found was written by the template, not
 * by a user, not even in halves that the template joins.
 *
 * @param tokens contents of the special tokens
 */
export function protectText(messages: readonly TemplateMessage[], tokens: readonly string[]): ProtectedMessages {
  const edges = [...new Set(tokens.flatMap(token => [token.slice(0, 1), token.slice(-1)]))]
  const used = new Set(messages.flatMap(({ content }) => textsOf(content)).join(''))
  const free = freeCharacters(used, edges.length)
  const hidden = new Map(edges.map((edge, i) => [edge, free[i]!]))
  const shown = new Map(edges.map((edge, i) => [free[i]!, edge]))
  const hide = (text: string): string => replaced(text, hidden)
  return {
    messages: messages.map(({ role, content }) => ({
      role,
      content:
        typeof content === 'string'
          ? hide(content)
          : content.map(part => (part.text === undefined ? part : { ...part, text: hide(part.text) })),
    })),
    restore: text => replaced(text, shown),
  }
}

function textsOf(content: TemplateMessage['content']): string[] {
  return typeof content === 'string' ? [content] : content.map(part => part.text ?? '')
}

function freeCharacters(used: ReadonlySet<string>, count: number): string[] {
  const free: string[] = []
  // The two private planes have more characters than any prompt can use up.
  for (let code = 0xf0000; free.length < count; code++) {
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

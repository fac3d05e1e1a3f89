/** What `lastBoxed` found: the content of the last balanced box, and how many boxes there were. */
export interface BoxedAnswer {
  /** Text between the braces, untrimmed; undefined when no `\boxed{…}` is balanced. */
  readonly content: string | undefined
  /** Number of balanced `\boxed{…}` in the text. */
  readonly balanced: number
  /** Number of `\boxed{` without a closing brace. */
  readonly unbalanced: number
}

const opening = '\\boxed{'

/**
 * Finds the last balanced `\boxed{…}`; braces nest, an escaped brace (`\}`) is text, and boxes may nest (the innermost
 * of the last wins). One pass over the text, so that a pathological response costs no more than a long one.
 */
export function lastBoxed(text: string): BoxedAnswer {
  const first = text.indexOf(opening)
  if (first < 0) return { content: undefined, balanced: 0, unbalanced: 0 }
  const open: number[] = [] // start of the content for a box, -1 for any other brace
  let [start, end, balanced, boxes] = [-1, -1, 0, 0]
  for (let i = first; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x5c) {
      if (!text.startsWith(opening, i)) i += isEscape(text, i) ? 1 : 0
      else {
        i += opening.length - 1
        boxes += 1
        open.push(i + 1)
      }
    } else if (code === 0x7b) open.push(-1)
    else if (code === 0x7d) {
      const from = open.pop() ?? -1
      if (from >= 0) {
        balanced += 1
        if (from > start) [start, end] = [from, i]
      }
    }
  }
  return { content: start < 0 ? undefined : text.slice(start, end), balanced, unbalanced: boxes - balanced }
}

/** An escaped brace or backslash; the second backslash of `\\boxed{` starts a box and is not escaped. */
function isEscape(text: string, backslash: number): boolean {
  const next = text[backslash + 1]
  return next === '{' || next === '}' || (next === '\\' && !text.startsWith(opening, backslash + 1))
}

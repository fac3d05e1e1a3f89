import type { ProblemLog } from './problem.ts'

/** A response split at its think tags. */
export interface ThinkSections {
  /** What stands inside the tags, trimmed; undefined where there are none. */
  readonly think: string | undefined
  /** Everything outside the tags: the only place an answer may stand. */
  readonly outside: string
  /** What stands inside the tags, as written. */
  readonly reasoning: string
}

const tags = /<\/?think>/g

/**
 * Splits a response at `<think>` and `</think>`. What follows an opening tag that is never closed is reasoning that was cut
 * off, and what stands before a closing tag that was never opened is reasoning too: prompts may end in `<think>`.
 */
export function splitThink(text: string, problems: ProblemLog): ThinkSections {
  const inside: string[] = []
  let outside: string[] = []
  let [from, isOpen, hasTags, unopened] = [0, false, false, 0]
  for (const { 0: tag, index } of text.matchAll(tags)) {
    hasTags = true
    const piece = text.slice(from, index)
    if (tag === '<think>') {
      if (isOpen) continue
      outside.push(piece)
      isOpen = true
    } else {
      if (!isOpen) {
        unopened++
        inside.push(...outside)
        outside = []
      }
      inside.push(piece)
      isOpen = false
    }
    from = index + tag.length
  }
  ;(isOpen ? inside : outside).push(text.slice(from))
  if (unopened > 0) problems.report({ type: 'think-unopened', ...(unopened > 1 && { count: unopened }) })
  if (isOpen) problems.report({ type: 'think-unclosed' })
  const reasoning = inside.join('\n')
  return { think: hasTags ? reasoning.trim() : undefined, outside: outside.join('\n'), reasoning }
}

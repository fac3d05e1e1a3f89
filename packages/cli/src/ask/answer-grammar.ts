import type { Grammar } from '@qoq-med/model'

/**
 * The form that questions ask for, with labels of a list alone: reasoning, whatever stands between, one boxed label (or
 * several), and the end.
 */
export async function answerGrammar(labels: readonly string[], isMulti: boolean): Promise<Grammar> {
  const { boxedLabels } = await import('@qoq-med/model')
  const boxed = boxedLabels(labels, { multiple: isMulti })
  const opening: Grammar = { type: 'literal', text: '<think>' }
  return { type: 'sequence', parts: [opening, { type: 'until', end: '</think>' }, boxed] }
}

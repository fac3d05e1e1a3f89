/**
 * What an answer may look like, as plain data. Sizes are those of answers: a grammar of some thousand characters is
 * compiled into an automaton over bytes.
 */
export type Grammar =
  /** Exactly this text. */
  | { readonly type: 'literal'; readonly text: string }
  /** One of these. */
  | { readonly type: 'choice'; readonly options: readonly Grammar[] }
  /** These one after the other. */
  | { readonly type: 'sequence'; readonly parts: readonly Grammar[] }
  /** The item `min` times or more (at most `max`), with the separator between. */
  | {
      readonly type: 'repeat'
      readonly item: Grammar
      readonly separator: string
      readonly min: number
      readonly max?: number
    }
  /** Any text up to and with the first occurrence of `end`. */
  | { readonly type: 'until'; readonly end: string }
  /** One to `max` decimal digits. */
  | { readonly type: 'digits'; readonly max: number }

/** How an answer with boxed labels is written. */
export interface BoxedLabelsOptions {
  /** Whether several labels may be given. Default false. */
  readonly multiple?: boolean
  /** Whether free text (the reasoning) comes before the box. Default true. */
  readonly reasoning?: boolean
}

const literal = (text: string): Grammar => ({ type: 'literal', text })

/**
 * A boxed answer out of a list of labels: free reasoning, then `\boxed{label}` or `\boxed{label, label}`, then the end.
 *
 * @example boxedLabels(['Normal', 'Effusion'], { multiple: true })
 */
export function boxedLabels(
  labels: readonly string[],
  { multiple = false, reasoning = true }: BoxedLabelsOptions = {},
): Grammar {
  const opening = '\\boxed{'
  const label: Grammar = { type: 'choice', options: labels.map(literal) }
  return {
    type: 'sequence',
    parts: [
      reasoning ? { type: 'until', end: opening } : literal(opening),
      multiple ? { type: 'repeat', item: label, separator: ', ', min: 1 } : label,
      literal('}'),
    ],
  }
}

/**
 * The form that the questions ask for, with labels of a list alone: reasoning between its tags, whatever stands between, and
 * the boxed label or labels.
 */
export function reasonedLabels(
  labels: readonly string[],
  { multiple = false }: Pick<BoxedLabelsOptions, 'multiple'> = {},
): Grammar {
  return {
    type: 'sequence',
    parts: [literal('<think>'), { type: 'until', end: '</think>' }, boxedLabels(labels, { multiple })],
  }
}

/**
 * The whole form that the questions ask for: `<think>…</think>`, the boxes as JSON
 * (`[{"bbox_2d": [x1, y1, x2, y2], "label": "…"}]`), and the boxed labels.
 *
 * @param names what a box may be called
 * @param labels what the answer may be
 */
export function boxesAndLabels(
  names: readonly string[],
  labels: readonly string[],
  options: Pick<BoxedLabelsOptions, 'multiple'> & { readonly maxBoxes?: number } = {},
): Grammar {
  const coordinate: Grammar = { type: 'digits', max: 4 }
  const corners: Grammar = { type: 'repeat', item: coordinate, separator: ', ', min: 4, max: 4 }
  const name: Grammar = { type: 'choice', options: names.map(each => literal(JSON.stringify(each))) }
  const box: Grammar = {
    type: 'sequence',
    parts: [literal('{"bbox_2d": ['), corners, literal('], "label": '), name, literal('}')],
  }
  const { maxBoxes = 8, multiple = false } = options
  return {
    type: 'sequence',
    parts: [
      literal('<think>'),
      { type: 'until', end: '</think>' },
      literal('\n```json\n['),
      { type: 'repeat', item: box, separator: ', ', min: 0, max: maxBoxes },
      literal(']\n```\n'),
      boxedLabels(labels, { multiple, reasoning: false }),
    ],
  }
}

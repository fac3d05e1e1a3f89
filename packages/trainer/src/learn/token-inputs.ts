import type { ScoreBatch, ScoredSequence } from '@qoq-med/model'

/** Values [M] of every completion token, in the places of the batch's scores; padding gets 0. */
export function perToken<Item extends ScoredSequence>(
  { scores, starts }: ScoreBatch,
  items: readonly Item[],
  value: (item: Item, token: number) => number,
): Float32Array {
  const values = new Float32Array(scores)
  items.forEach((item, i) => {
    for (let token = 0; token < item.completion.length; token++) values[starts[i]! + token] = value(item, token)
  })
  return values
}

/** What a batch feeds its graph with, and inputs of one number per score [M] beside it. */
export function withTokens(
  { key, inputs, scores }: ScoreBatch,
  values: Readonly<Record<string, Float32Array>>,
): Pick<ScoreBatch, 'key' | 'inputs'> {
  const tensors = Object.entries(values).map(
    ([name, data]) => [name, { dtype: 'float32', shape: [scores], data }] as const,
  )
  return { key, inputs: { ...inputs, ...Object.fromEntries(tensors) } }
}

/** The results of each sequence's tokens, cut out of values [M]. */
export function rowsOf(
  { starts }: ScoreBatch,
  sequences: readonly ScoredSequence[],
  values: Float32Array,
): Float32Array[] {
  return sequences.map(({ completion }, i) => values.slice(starts[i], starts[i]! + completion.length))
}

import type { ScoreBatch, ScoredSequence } from '@qoq-med/model'

/** Values [M] of every completion token, in the places of the batch's scores; padding gets 0. */
export function perToken(
  { scores, starts }: ScoreBatch,
  sequences: readonly ScoredSequence[],
  value: (sequence: number, token: number) => number,
): Float32Array {
  const values = new Float32Array(scores)
  sequences.forEach(({ completion }, i) => {
    for (let token = 0; token < completion.length; token++) values[starts[i]! + token] = value(i, token)
  })
  return values
}

/** Adds inputs of one number per score [M] to a batch. */
export function withTokens(batch: ScoreBatch, values: Readonly<Record<string, Float32Array>>): ScoreBatch {
  const tensors = Object.entries(values).map(
    ([name, data]) => [name, { dtype: 'float32', shape: [batch.scores], data }] as const,
  )
  return { ...batch, inputs: { ...batch.inputs, ...Object.fromEntries(tensors) } }
}

/** The results of each sequence's tokens, cut out of values [M]. */
export function rowsOf(
  { starts }: ScoreBatch,
  sequences: readonly ScoredSequence[],
  values: Float32Array,
): Float32Array[] {
  return sequences.map(({ completion }, i) => values.slice(starts[i], starts[i]! + completion.length))
}

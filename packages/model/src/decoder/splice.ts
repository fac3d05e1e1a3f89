import type { Ops } from '@qoq-med/tensor'

/**
 * Puts encoder tokens at their placeholders: row i of the answer is row `rows[i]` of the text embeddings followed by the
 * encoder tokens. Which rows are placeholders stays an input, so one graph serves every placement.
 *
 * @param embeddings [N, D]
 * @param encoderTokens [M, D]; unused rows are allowed
 * @param rows int32 [N]; i for a text token, N + j for encoder token j (`spliceRows`)
 */
export function splice<T>(ops: Ops<T>, embeddings: T, encoderTokens: T, rows: T): T {
  return ops.gatherRows(ops.concat([embeddings, encoderTokens], 0), rows)
}

/**
 * The row of each token for `splice`.
 *
 * @param count N, tokens of the batch
 * @param placeholders positions in the flat batch, in the order of the encoder tokens they take
 * @param firstEncoderRow the encoder token that the first placeholder takes
 */
export function spliceRows(count: number, placeholders: ArrayLike<number>, firstEncoderRow = 0): Int32Array {
  const rows = Int32Array.from({ length: count }, (_, i) => i)
  for (let j = 0; j < placeholders.length; j++) rows[placeholders[j]!] = count + firstEncoderRow + j
  return rows
}

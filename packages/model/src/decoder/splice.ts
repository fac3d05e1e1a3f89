import type { Ops } from '@qoq-med/tensor'

/**
 * Puts encoder tokens at their placeholders: row i of the answer is row `rows[i]` of the text embeddings followed by the
 * encoder tokens. Which rows are placeholders stays an input, so one graph serves every placement.
 *
 * @param embeddings [N, D]
 * @param encoderTokens [M, D]; unused rows are allowed
 * @param rows int32 [N]; i for a text token, N + j for encoder token j
 */
export function splice<T>(ops: Ops<T>, embeddings: T, encoderTokens: T, rows: T): T {
  return ops.gatherRows(ops.concat([embeddings, encoderTokens], 0), rows)
}

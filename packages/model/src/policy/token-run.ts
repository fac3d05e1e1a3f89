import type { DecoderConfig } from '../decoder/decoder-config.ts'
import { chunkTokens } from '../generation/step-program.ts'

/** A run of tokens that go through the model together. */
export interface TokenRun {
  /** [T, hiddenSize] */
  readonly embeddings: Float32Array
  /** [axes * T] */
  readonly positionIds: Int32Array
}

/**
 * Tokens that two runs begin with alike, in whole chunks and never all of the second: what follows is then computed in the same
 * chunks, to the same bits, as without them. Embeddings are compared, not ids, since pictures share theirs.
 */
export function sharedTokens({ hiddenSize, mropeSection }: DecoderConfig, known: TokenRun, run: TokenRun): number {
  const axes = mropeSection ? 3 : 1
  const [had, wanted] = [known, run].map(each => each.embeddings.length / hiddenSize) as [number, number] // two in
  const most = Math.floor(Math.min(had, wanted - 1) / chunkTokens) * chunkTokens
  let same = 0
  const isSame = (token: number): boolean => {
    for (let axis = 0; axis < axes; axis++)
      if (known.positionIds[axis * had + token] !== run.positionIds[axis * wanted + token]) return false
    for (let i = token * hiddenSize; i < (token + 1) * hiddenSize; i++)
      if (known.embeddings[i] !== run.embeddings[i]) return false
    return true
  }
  while (same < most && isSame(same)) same++
  return Math.floor(same / chunkTokens) * chunkTokens
}

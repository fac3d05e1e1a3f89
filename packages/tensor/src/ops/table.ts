import { tensorErrors } from '../errors.ts'
import { attentionOps } from './attention.ts'
import { cacheFloatsOps } from './cache-floats.ts'
import { cachedAttentionOps } from './cached-attention.ts'
import type { OpDefinition } from './definition.ts'
import { elementwiseOps } from './elementwise.ts'
import { halfLinearOps } from './half-linear.ts'
import { indexingOps } from './indexing.ts'
import { layoutOps } from './layout.ts'
import { matmulOps } from './matmul.ts'
import { normOps } from './norm.ts'
import type { OpAttributes, OpName } from './op-attributes.ts'
import { pastAttentionOps } from './past-attention.ts'
import { prefixAttentionOps } from './prefix-attention.ts'
import { quantizedLinearOps } from './quantized-linear.ts'
import { reductionOps } from './reduction.ts'
import { roundedBlockSumsOps } from './rounded-block-sums.ts'
import { rotaryOps } from './rotary.ts'
import { softmaxOps } from './softmax.ts'
import { storedMatrixOps } from './stored-matrix.ts'
import { tokenLogprobOps } from './token-logprobs.ts'

const table: { readonly [Name in OpName]: OpDefinition<OpAttributes[Name]> } = {
  ...elementwiseOps,
  ...reductionOps,
  ...layoutOps,
  ...indexingOps,
  ...matmulOps,
  ...softmaxOps,
  ...normOps,
  ...rotaryOps,
  ...attentionOps,
  ...pastAttentionOps,
  ...cachedAttentionOps,
  ...cacheFloatsOps,
  ...prefixAttentionOps,
  ...quantizedLinearOps,
  ...roundedBlockSumsOps,
  ...halfLinearOps,
  ...storedMatrixOps,
  ...tokenLogprobOps,
}

/** The names of all operations. */
export const opNames: readonly string[] = Object.keys(table)

/**
 * Looks an operation up. Its attributes are those that `createOps` or a gradient rule wrote, so the row's own type fits.
 *
 * @throws TENSOR_UNKNOWN_OP
 */
export function opDefinition(op: string): OpDefinition {
  const rows: Readonly<Record<string, OpDefinition<never>>> = table
  const definition = Object.hasOwn(rows, op) ? rows[op] : undefined
  if (!definition) throw tensorErrors.UNKNOWN_OP({ op })
  return definition
}

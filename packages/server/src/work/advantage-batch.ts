import { estimateAdvantages, parseRewardBatch } from '@qoq-med/core-drpo'
import { z } from 'zod'
import { jsonText } from '../json-text.ts'
import { requireAtMost } from '../limits.ts'

/** What `qoq advantages` takes, beside the fields of a batch (`rewardBatchFields`). */
export const AdvantagesBody = z.looseObject({
  estimator: z.string(),
  options: z.record(z.string(), z.unknown()).optional(),
  stages: z.boolean().optional(),
})

/** Computes the advantages of a batch. @returns the document as JSON: numbers are many */
export function advantagesDocument(
  { estimator, options = {}, stages: wantsStages = false, ...fields }: z.infer<typeof AdvantagesBody>,
  { maxTokens }: { readonly maxTokens: number },
): string {
  const batch = parseRewardBatch(fields)
  // A length is a claim: token-level estimators make an array of that size.
  requireAtMost(maxTokens, sum(batch.lengths ?? []), 'tokens')
  const { advantages, stages } = estimateAdvantages(estimator, batch, options, { stages: wantsStages })
  return jsonText({ advantages, ...(wantsStages && { stages }) })
}

function sum(values: ArrayLike<number>): number {
  return Array.from(values).reduce((total, value) => total + value, 0)
}

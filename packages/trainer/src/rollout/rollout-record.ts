import { explainAdvantage, type AdvantageResult } from '@qoq-med/core-drpo'
import type { ImageSize, Truth } from '@qoq-med/rewards'
import type { AdvantagedRollout } from './rollout.ts'

/**
 * What samples.jsonl keeps of a step: its first groups, as many whole ones as the limit allows, each rollout with its
 * answer, its reward part by part, and where its advantage came from.
 *
 * @param limit rollouts at most; a first group that is larger is kept all the same, unless the limit is 0
 */
export function rolloutRecords(
  rollouts: readonly AdvantagedRollout[],
  result: AdvantageResult,
  limit: number,
): Readonly<Record<string, unknown>>[] {
  const kept = rollouts.filter(({ question }, i) => limit > 0 && (question === 0 || endOfGroup(rollouts, i) <= limit))
  return kept.map(({ prepared, completion, breakdown, reward, baseline, advantage }, index) => {
    const { id, domain, answer, question } = prepared.sample
    const { parts, weights, skipped } = breakdown
    return {
      index,
      id,
      domain,
      answer,
      question,
      response: completion.text,
      finish: completion.finish,
      reward,
      parts,
      weights,
      skipped,
      ...(baseline !== undefined && { baseline }),
      advantage: typeof advantage === 'number' ? advantage : [...advantage],
      explanation: explainAdvantage(result, index),
      ...seenSize(prepared.truth),
    }
  })
}

/** Size of the first picture as the model saw it, which answers are drawn on. */
function seenSize({ image }: Truth): { readonly seen?: ImageSize } {
  const [seen] = image === undefined ? [] : [image].flat()
  return seen === undefined ? {} : { seen }
}

/** Number of rollouts up to the end of the group that rollout `i` belongs to. */
function endOfGroup(rollouts: readonly AdvantagedRollout[], i: number): number {
  return rollouts.findLastIndex(({ question }) => question === rollouts[i]!.question) + 1
}

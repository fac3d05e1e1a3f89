import { explainAdvantage, type AdvantageResult } from '@qoq-med/core-drpo'
import type { ImageSize, Truth } from '@qoq-med/rewards'
import type { AdvantagedRollout } from './rollout.ts'

/**
 * The rollouts of a step that samples.jsonl keeps: its first groups, as many whole ones as the limit allows.
 *
 * @param limit rollouts at most; a first group that is larger is kept all the same, unless the limit is 0
 */
export function keptRollouts(rollouts: readonly AdvantagedRollout[], limit: number): AdvantagedRollout[] {
  return rollouts.filter(({ question }, i) => limit > 0 && (question === 0 || endOfGroup(rollouts, i) <= limit))
}

/**
 * What samples.jsonl says of each: its answer, its reward part by part, and where its advantage came from.
 *
 * @param kept the first rollouts of the step (`keptRollouts`)
 * @param pictures files in the run folder by sample id
 */
export function rolloutRecords(
  kept: readonly AdvantagedRollout[],
  result: AdvantageResult,
  pictures: ReadonlyMap<string, string> = new Map(),
): Readonly<Record<string, unknown>>[] {
  // An estimator of one's own may have no stages: then the advantage alone is said.
  const explained = { ...result, stages: result.stages ?? {} }
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
      explanation: explainAdvantage(explained, index),
      ...seenSize(prepared.truth),
      ...(pictures.has(id) && { picture: pictures.get(id) }),
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

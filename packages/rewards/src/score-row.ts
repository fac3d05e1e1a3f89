import type { Breakdown } from './breakdown.ts'
import { parseFor, type CompositeReward } from './combine.ts'
import { parseResponse, type ParsedResponse } from './parse/parsed-response.ts'
import type { BoxFormat } from './parse/box-entries.ts'
import type { Problem } from './parse/problem.ts'
import type { AsyncReward } from './reward.ts'
import { readRewardRow, type RewardRow } from './reward-row.ts'
import { scoreBatch, type BatchOptions } from './score-batch.ts'
import { truthVocabulary } from './truth.ts'

/** What `qoq rewards` prints for one row. */
export interface RowScore {
  readonly id: string | number
  /** In [0, 1]. */
  readonly score: number
  /** Unweighted score of every reward that applied. */
  readonly parts: Readonly<Record<string, number>>
  readonly parsed: {
    readonly labels: readonly string[]
    /** [x1, y1, x2, y2] each, in pixels of the image as the model saw it. */
    readonly boxes: readonly (readonly number[])[]
    readonly problems: readonly Problem[]
  }
  /** Rewards that failed, as { reward, code, message }; absent where none did. */
  readonly failures?: readonly { readonly reward: string; readonly code: string; readonly message: string }[]
}

/** How rows are read. */
export interface RewardRowOptions {
  /** What the four numbers of a response's box mean; `xyxy` by default. */
  readonly format?: BoxFormat | undefined
}

/**
 * Scores one row of the contract of `qoq rewards`.
 *
 * @param row an object as `readRewardRow` describes it
 * @throws REWARDS_ROW_INVALID, REWARDS_MASK_SIZE, REWARDS_MASK_RUNS for a row that breaks the contract
 * @example scoreRow({ id: 1, response: '\\boxed{Edema}', answer: ['Edema'] }, combine(presets.paper)).score
 */
export function scoreRow(row: unknown, composite: CompositeReward, options: RewardRowOptions = {}): RowScore {
  const checked = readRewardRow(row)
  const parsed = parseRow(checked, options)
  return rowScore(checked, parsed, composite(parsed, checked.truth, String(checked.id)))
}

/**
 * Scores rows of the contract with rewards that may be asynchronous, in order.
 *
 * @throws REWARDS_ROW_INVALID, REWARDS_MASK_SIZE, REWARDS_MASK_RUNS for a row that breaks the contract
 */
export async function scoreRows(
  rows: readonly unknown[],
  composite: CompositeReward<AsyncReward>,
  options: RewardRowOptions & BatchOptions = {},
): Promise<readonly RowScore[]> {
  const checked = rows.map(row => readRewardRow(row))
  const parsed = checked.map(row => parseRow(row, options))
  const batch = checked.map(({ id, truth }, i) => ({ response: parsed[i] ?? '', truth, sampleId: String(id) }))
  const breakdowns = await scoreBatch(composite, batch, options)
  return checked.map((row, i) => rowScore(row, parsed[i]!, breakdowns[i]!))
}

function parseRow({ response, truth }: RewardRow, { format }: RewardRowOptions): ParsedResponse {
  return format === undefined
    ? parseFor(response, truth)
    : parseResponse(response, { format, vocabulary: truthVocabulary(truth) })
}

function rowScore({ id }: RewardRow, parsed: ParsedResponse, { score, parts, failures }: Breakdown): RowScore {
  const boxes = parsed.boxes.map(({ x1, y1, x2, y2 }) => [x1, y1, x2, y2])
  const failed = failures.map(({ reward, error }) => ({ reward, code: error.code, message: error.message }))
  return {
    id,
    score,
    parts,
    parsed: { labels: parsed.labels, boxes, problems: parsed.problems },
    ...(failed.length > 0 ? { failures: failed } : {}),
  }
}

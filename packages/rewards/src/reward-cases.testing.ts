import { readFileSync } from 'node:fs'
import type { BoxXyxy } from './geometry/box.ts'
import type { MaskImage } from './geometry/mask.ts'

/** One case of fixtures/rewards.json: a response, its truth, and what two readings make of it. */
export interface RewardCase {
  readonly id: string
  readonly tag: string
  readonly response: string
  readonly ground_truth: string
  readonly mask: string
  readonly gt_bbox: readonly [number, number, number, number] | null
  readonly medical_compute_score: Readonly<
    Record<'overall' | 'standard_score' | 'iou_score' | 'format_score' | 'length_score', number>
  >
  readonly medical_standard_score: { readonly overall: number; readonly standard_score: number }
  readonly boxed_mathruler: string
  readonly parse_conditions: readonly string[]
  readonly parse_conditions_gt: readonly string[]
  readonly paper_reading: {
    readonly acc_f1_all_separators_together: number
    readonly format_label_match: number
    readonly iou_max_half_open_pixel_centres?: number
    readonly 'combined_0.6_0.2_0.2_label_match'?: number
  }
}

interface RectangleMask {
  readonly width: number
  readonly height: number
  readonly rects_inclusive_x1y1x2y2: readonly (readonly [number, number, number, number])[]
}

interface RewardFixture {
  readonly masks: Readonly<Record<string, RectangleMask | null>>
  readonly cases: readonly RewardCase[]
  readonly coherence: readonly {
    readonly views: readonly (readonly [number, number, number, number])[]
    readonly transformed_from_other_view: readonly (readonly [number, number, number, number])[]
    readonly r_coh: number
  }[]
}

/** The fixture of the package: 190 responses and 20 coherence cases. */
export const rewardFixture: RewardFixture = JSON.parse(
  readFileSync(new URL('../fixtures/rewards.json', import.meta.url), 'utf8'),
)

/** The mask of a case as pixels, or undefined where it has none. */
export function caseMask(name: string): MaskImage | undefined {
  const mask = rewardFixture.masks[name]
  if (!mask) return undefined
  const data = new Uint8Array(mask.width * mask.height)
  for (const [x1, y1, x2, y2] of mask.rects_inclusive_x1y1x2y2) {
    for (let y = y1; y <= y2; y++) data.fill(1, y * mask.width + x1, y * mask.width + x2 + 1)
  }
  return { width: mask.width, height: mask.height, data }
}

/** A box of four numbers as an object. */
export function boxOf([x1, y1, x2, y2]: readonly [number, number, number, number]): BoxXyxy {
  return { x1, y1, x2, y2 }
}

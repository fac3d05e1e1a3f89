import { accuracy, exactMatch, taskAccuracy } from './accuracy.ts'
import { coherence } from './coherence.ts'
import { findingFormat, format, lenientFormat } from './format.ts'
import { iou } from './iou.ts'
import { jaccard } from './jaccard.ts'
import { length } from './length.ts'

/** The built-in rewards by name. */
export const builtInRewards = {
  accuracy,
  taskAccuracy,
  iou,
  format,
  findingFormat,
  lenientFormat,
  coherence,
  length,
  jaccard,
  exactMatch,
} as const

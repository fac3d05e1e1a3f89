import { createVocabulary } from '@qoq-med/rewards'
import { evalErrors } from '../errors.ts'

/** One evaluated row: which labels are true, which were predicted. */
export interface MetricRow {
  /** Dataset id, such as `ptb-xl`. */
  readonly dataset: string
  /** Clinical domain of the dataset, such as `ecg`. */
  readonly domain: string
  /** Labels that are true. */
  readonly truth: readonly string[]
  /** Labels that were predicted; names outside the dataset's list count only against the exact match. */
  readonly predicted: readonly string[]
  /** True where the response held no answer at all; rows that leave it out count as answered. */
  readonly unparseable?: boolean
  /** Whose sample it is; a bootstrap draws a patient's rows together. */
  readonly patientId?: string
}

/** A dataset's rows as indicators: bit 0 says "true", bit 1 says "predicted". N rows, L labels. */
export interface Outcomes {
  /** [L] the dataset's labels. */
  readonly labels: readonly string[]
  /** [N * L] row by row: 0 neither, 1 true only, 2 predicted only, 3 both. */
  readonly cells: Uint8Array
  /** [N] 1 where predicted and true labels are the same set, labels outside the list included. */
  readonly exact: Uint8Array
  /** Rows whose response held no answer. */
  readonly unparseable: number
}

/**
 * Writes the rows of one dataset as indicators over its label list. Names are compared as rewards compare them: without
 * regard to case, blanks and surrounding punctuation.
 *
 * @param rows N rows of one dataset
 * @param labels L distinct names, in the order of the result
 * @throws EVAL_TRUTH_UNKNOWN for a true label that is not on the list; a predicted one counts against the exact match
 */
export function encodeOutcomes(
  rows: readonly (Pick<MetricRow, 'truth' | 'predicted' | 'unparseable'> & { readonly dataset?: string })[],
  labels: readonly string[],
): Outcomes {
  const indexOf = labelIndex(labels)
  const cells = new Uint8Array(rows.length * labels.length)
  const exact = new Uint8Array(rows.length)
  let unparseable = 0
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index]!
    const start = index * labels.length
    const unknown = mark(cells, start, row.truth, indexOf, 1)
    if (unknown !== undefined) throw evalErrors.TRUTH_UNKNOWN({ dataset: row.dataset ?? '', label: unknown, labels })
    if (mark(cells, start, row.predicted, indexOf, 2) === undefined) exact[index] = agree(cells, start, labels.length)
    if (row.unparseable === true) unparseable++
  }
  return { labels, cells, exact, unparseable }
}

/**
 * Checks a dataset's label list.
 *
 * @throws EVAL_LABELS_MISSING when `labels` has no list for `dataset`
 * @throws EVAL_LABELS_INVALID when the list is empty or repeats a name
 */
export function labelListOf(labels: Readonly<Record<string, readonly string[]>>, dataset: string): readonly string[] {
  const list = Object.hasOwn(labels, dataset) ? labels[dataset] : undefined
  if (list === undefined) throw evalErrors.LABELS_MISSING({ dataset, known: Object.keys(labels) })
  if (list.length === 0) throw evalErrors.LABELS_INVALID({ dataset, problem: 'is empty' })
  const repeated = list.find((label, index) => list.indexOf(label) !== index)
  if (repeated !== undefined) throw evalErrors.LABELS_INVALID({ dataset, problem: `names "${repeated}" twice` })
  return list
}

/** Looks a name up in the list, by its spelling or by what it is compared by; every spelling is folded once. */
function labelIndex(labels: readonly string[]): (name: string) => number | undefined {
  const known = new Map<string, number | undefined>(labels.map((label, index) => [label, index]))
  const vocabulary = createVocabulary({ labels })
  return name => {
    if (!known.has(name)) {
      const label = vocabulary.find(name)
      known.set(name, label === undefined ? undefined : labels.indexOf(label))
    }
    return known.get(name)
  }
}

/** Sets `bit` for every name; answers the first that is not on the list. */
function mark(
  cells: Uint8Array,
  start: number,
  names: readonly string[],
  indexOf: (name: string) => number | undefined,
  bit: number,
): string | undefined {
  let unknown: string | undefined
  for (const name of names) {
    const label = indexOf(name)
    if (label === undefined) unknown ??= name
    else cells[start + label]! |= bit
  }
  return unknown
}

function agree(cells: Uint8Array, start: number, count: number): number {
  for (let i = start; i < start + count; i++) if (cells[i] === 1 || cells[i] === 2) return 0
  return 1
}

import { isHintedError } from '@qoq-med/errors'
import type { DatasetDefinition } from '../dataset/dataset.ts'
import { openDataset, type DatasetTally, type OpenDatasetOptions } from '../open/open-dataset.ts'
import type { Sample, Split } from '../sample/sample.ts'
import { verifySplits, type SplitReport } from './verify-splits.ts'

/** Options of `verifyDataset`. */
export interface VerifyDatasetOptions extends Omit<OpenDatasetOptions, 'onError'> {
  /** `false` looks at file sizes and hashes only; otherwise every picture, recording and mask is decoded (default). */
  readonly decode?: boolean
  /** Called after every decoded sample. */
  readonly onProgress?: (done: number, total: number) => void
}

/** Something wrong with one row: the code of the error and its sentence, which names the row and the file. */
export interface DatasetProblem {
  readonly code: string
  readonly message: string
}

/** What `verifyDataset` found, as plain values. Samples are named by their ids. */
export interface DatasetReport extends SplitReport {
  readonly dataset: string
  /** Rows of the index, those used, and why the others are not. */
  readonly tally: DatasetTally
  /** Parts of the release that are there, such as `g1`, where it is cut into folders; empty otherwise. */
  readonly parts: readonly string[]
  /** Files that are missing, cut short or outside the folder, and labels that the definition does not list. */
  readonly missing: readonly DatasetProblem[]
  /** Pictures, recordings and masks that do not decode, and masks of another size than their picture. */
  readonly undecodable: readonly DatasetProblem[]
  /** Labels that no sample has. */
  readonly emptyLabels: readonly string[]
  /** Samples whose answer holds two labels that exclude each other; `isClean` does not ask for them. */
  readonly contradictoryAnswers: readonly string[]
  /** Samples of every label, no leak, nothing missing and nothing undecodable; duplicates within a part are allowed. */
  readonly isClean: boolean
}

/** Samples decoded at once; each may hold a volume of several hundred megabytes. */
const decodedAtOnce = 4

/**
 * Verifies a dataset folder: patients or identical files in two parts, duplicates, contradictions, label counts per part
 * (zero for labels that never occur), and files that are missing or do not decode. It reports instead of throwing.
 *
 * @param dataset an id of `listDatasets()`, or a definition
 * @throws DATA_DATASET_UNKNOWN, DATA_ROOT_NOT_FOUND, DATA_DATASET_EMPTY, DATA_INDEX_INVALID, DATA_OPTION_INVALID
 * @example
 * const { isClean, leakingPatients } = await verifyDataset('busi', { root: 'data/Dataset_BUSI_with_GT' })
 */
export async function verifyDataset(
  dataset: string | DatasetDefinition,
  { decode = true, onProgress, ...options }: VerifyDatasetOptions,
): Promise<DatasetReport> {
  const { definition, samples, tally, parts, problems } = await openDataset(dataset, { ...options, onError: 'skip' })
  const splits = await verifySplits(samples)
  const labelCounts = withZeros(splits.labelCounts, definition.labels)
  const emptyLabels = definition.labels.filter(label => Object.values(labelCounts).every(counts => counts[label] === 0))
  const missing = problems.map(({ code, message }) => ({ code, message }))
  const undecodable = decode ? await decodeAll(samples, onProgress) : []
  return {
    ...splits,
    dataset: definition.id,
    tally,
    parts,
    missing,
    undecodable,
    labelCounts,
    emptyLabels,
    contradictoryAnswers: samples.filter(sample => isContradictory(sample, definition)).map(({ id }) => id),
    isClean: splits.isClean && emptyLabels.length + missing.length + undecodable.length === 0,
  }
}

function isContradictory({ answer }: Sample, { exclusiveLabels = [] }: DatasetDefinition): boolean {
  return exclusiveLabels.some(pair => pair.every(label => answer.includes(label)))
}

async function decodeAll(
  samples: readonly Sample[],
  onProgress: ((done: number, total: number) => void) | undefined,
): Promise<DatasetProblem[]> {
  const found: (DatasetProblem | undefined)[] = []
  let [next, done] = [0, 0]
  const work = async () => {
    for (let i = next++; i < samples.length; i = next++) {
      found[i] = await problemOf(samples[i]!) // bounded by the loop
      onProgress?.(++done, samples.length)
    }
  }
  await Promise.all(Array.from({ length: decodedAtOnce }, work))
  return found.filter(problem => problem !== undefined)
}

async function problemOf(sample: Sample): Promise<DatasetProblem | undefined> {
  try {
    await sample.ecg?.()
    const [picture] = (await sample.images?.()) ?? []
    const mask = await sample.mask?.()
    if (picture && mask && (picture.width !== mask.width || picture.height !== mask.height))
      return {
        code: 'DATA_FILE_UNREADABLE',
        message: `The mask of ${sample.id} has ${mask.width} x ${mask.height} pixels, its picture ${picture.width} x ${picture.height}.`,
      }
    return undefined
  } catch (problem) {
    if (!isHintedError(problem)) throw problem
    return { code: problem.code, message: problem.message }
  }
}

function withZeros(counts: SplitReport['labelCounts'], labels: readonly string[]): SplitReport['labelCounts'] {
  const zeros = Object.fromEntries(labels.map(label => [label, 0]))
  const filled = (split: Split) => ({ ...zeros, ...counts[split] })
  return { train: filled('train'), valid: filled('valid'), test: filled('test') }
}

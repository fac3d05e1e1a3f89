import { stat } from 'node:fs/promises'
import path from 'node:path'
import { isHintedError, type HintedError } from '@qoq-med/errors'
import { DatasetFolder, byCodeUnit } from '../dataset/dataset-folder.ts'
import { visibleEntries } from '../files/folder-entries.ts'
import type { DatasetDefinition, DatasetRow, RowOptions } from '../dataset/dataset.ts'
import { dataErrors } from '../errors.ts'
import { boxesOfMask } from '../sample/mask-boxes.ts'
import { masksOf } from './mask-reader.ts'
import { checkMedia, mediaOf } from './media.ts'
import { questionText, questionTemplates, type QuestionTemplates } from '../sample/question.ts'
import { referenceResponse, type Finding } from '../sample/reference.ts'
import { findDataset } from '../datasets/registry.ts'
import type { BoxXyxy, PixelMask, ReferenceWriter, Sample } from '../sample/sample.ts'
import { shortQuestion, shortResponse } from '../sample/short-form.ts'
import { defaultSplitFractions, splitOfPatient, type SplitFractions } from '../sample/split.ts'
import { supportingFindings } from '../sample/supporting-findings.ts'

/** Options of `openDataset`. */
export interface OpenDatasetOptions extends RowOptions {
  /** The folder into which the dataset was unpacked. */
  readonly root: string
  /** `throw` (default) stops at the first broken row; `skip` leaves it out and counts it. */
  readonly onError?: 'throw' | 'skip'
  /** Seed of the split by patient, where the dataset has no official one. */
  readonly seed?: number
  readonly fractions?: SplitFractions
  readonly templates?: QuestionTemplates
}

/** How many rows of a dataset were used, and why the others were not. */
export interface DatasetTally {
  readonly rows: number
  readonly kept: number
  readonly unlabelled: number
  readonly excluded: number
  readonly missing: number
  readonly unreadable: number
}

/** An opened dataset: its samples in a fixed order, and an account of the rows that were left out. */
export interface OpenedDataset {
  readonly definition: DatasetDefinition
  readonly samples: readonly Sample[]
  readonly tally: DatasetTally
  /** Parts of the release that are there, such as `g1`, where it is cut into folders; empty otherwise. */
  readonly parts: readonly string[]
  /** One error per row that was skipped. */
  readonly problems: readonly HintedError[]
}

/**
 * Opens a dataset: reads its index, derives labels and splits, checks that files are there and long enough, and makes
 * samples that decode their media when asked for. Samples are sorted by key and the same on every machine.
 *
 * @param dataset an id of `listDatasets()`, or a definition
 * @throws DATA_DATASET_UNKNOWN, DATA_ROOT_NOT_FOUND, DATA_DATASET_EMPTY, DATA_INDEX_INVALID, DATA_OPTION_INVALID
 * @throws DATA_FILE_MISSING, DATA_FILE_TRUNCATED, DATA_FILE_UNREADABLE, DATA_PATH_UNSAFE, DATA_LABEL_UNKNOWN unless `onError` is `skip`
 * @example
 * const { samples } = await openDataset('georgia', { root: 'data/WFDB_Ga' })
 * const recording = await samples[0]?.ecg?.()
 */
export async function openDataset(
  dataset: string | DatasetDefinition,
  options: OpenDatasetOptions,
): Promise<OpenedDataset> {
  const definition = typeof dataset === 'string' ? findDataset(dataset) : dataset
  const { onError = 'throw', fractions = defaultSplitFractions } = options
  if (!(fractions.valid >= 0 && fractions.test >= 0 && fractions.valid + fractions.test <= 1))
    throw dataErrors.OPTION_INVALID({
      name: 'fractions',
      value: JSON.stringify(fractions),
      range: 'two shares that add up to at most 1',
    })
  const folder = await locateDataset(definition, options.root)
  const rows = (await definition.rows(folder, options)).toSorted((a, b) => byCodeUnit(a.key, b.key))
  if (rows.length === 0) throw emptyDataset(definition, options.root)
  const samples: Sample[] = []
  const problems: HintedError[] = []
  const counts = { unlabelled: 0, excluded: 0, missing: 0, unreadable: 0 }
  for (const row of rows) {
    if (row.excluded !== undefined) counts.excluded++
    else if (row.labels.length === 0) counts.unlabelled++
    else {
      const problem = await rowProblem(row, definition, folder)
      if (problem === undefined) samples.push(makeSample(row, { definition, folder, options }))
      else if (onError === 'throw') throw problem
      else {
        problems.push(problem)
        counts[problem.code === 'DATA_FILE_MISSING' ? 'missing' : 'unreadable']++
      }
    }
  }
  return {
    definition,
    samples,
    problems,
    parts: partsOf(rows),
    tally: { rows: rows.length, kept: samples.length, ...counts },
  }
}

/**
 * Finds a dataset's folder below the root that a user gives.
 *
 * @throws DATA_ROOT_NOT_FOUND
 */
export async function locateDataset(definition: DatasetDefinition, root: string): Promise<DatasetFolder> {
  let place = root
  for (let level = 0; level <= maxWrappers; level++) {
    for (const location of definition.locations) {
      const candidate = new DatasetFolder(definition.id, path.join(place, location.folder))
      if (await holds(candidate, location.marker)) return candidate
    }
    const [only, ...others] = await visibleEntries(place).then(
      ({ folders }) => folders,
      () => [],
    )
    if (only === undefined || others.length > 0) break
    place = path.join(place, only)
  }
  const looked = definition.locations.map(({ folder, marker }) =>
    typeof marker === 'string' ? path.posix.join(folder, marker) : `${folder} with names that match ${marker.source}`,
  )
  throw dataErrors.ROOT_NOT_FOUND({ dataset: definition.id, root, looked })
}

function partsOf(rows: readonly DatasetRow[]): string[] {
  const parts = new Set(rows.flatMap(({ part }) => (part === undefined ? [] : [part])))
  return [...parts].toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
}

/** The error of a folder that has the marker of a dataset and none of its rows. */
export function emptyDataset({ id, layout }: DatasetDefinition, root: string): HintedError {
  return dataErrors.DATASET_EMPTY({ dataset: id, root, layout })
}

/** Folders around a dataset in which it lies alone: archives and `wget` leave up to four, as `physionet.org/files/ptb-xl/1.0.3`. */
const maxWrappers = 4

async function holds(folder: DatasetFolder, marker: string | RegExp): Promise<boolean> {
  if (typeof marker === 'string') return exists(folder.resolve(marker))
  return (await folder.listDeep('.')).some(file => marker.test(path.posix.basename(file)))
}

async function exists(absolute: string): Promise<boolean> {
  return stat(absolute).then(
    () => true,
    () => false,
  )
}

/** Says why a row cannot be used, without decoding its files. */
export async function rowProblem(
  row: DatasetRow,
  definition: DatasetDefinition,
  folder: DatasetFolder,
): Promise<HintedError | undefined> {
  const label = row.labels.find(name => !definition.labels.includes(name))
  if (label !== undefined) return dataErrors.LABEL_UNKNOWN({ dataset: definition.id, row: row.place, label })
  try {
    await checkMedia(row, folder)
    return undefined
  } catch (problem) {
    if (isHintedError(problem)) return problem
    throw problem
  }
}

/** What a sample's question, answer and reference are made from. */
export type QuestionDefinition = Pick<
  DatasetDefinition,
  'id' | 'domain' | 'cue' | 'labels' | 'aliases' | 'negativeLabels' | 'answerMode' | 'splitGroup' | 'templates'
>

/** What a sample is made with. */
export interface SampleContext {
  readonly definition: QuestionDefinition
  readonly folder: DatasetFolder
  readonly options: Omit<OpenDatasetOptions, 'root'>
}

/** Makes the sample of a row. */
export function makeSample(row: DatasetRow, { definition, folder, options }: SampleContext): Sample {
  const { id: dataset, domain, cue, labels, answerMode, aliases, negativeLabels } = definition
  const id = `${dataset}/${row.key}`
  const answer = labels.filter(label => row.labels.includes(label))
  const media = mediaOf(row, folder)
  const boxes = boxesOf(row.findings ?? [])
  const masks = masksOf(row, folder)
  const reference = (found: readonly Finding[]): ReferenceWriter => {
    const findings = supportingFindings(found, answer, definition)
    if (row.form === 'short') return scales => shortResponse({ answer, findings }, scales)
    return scales => referenceResponse({ sampleId: id, cue, answer, findings }, scales)
  }
  const drawn = async () => {
    const findings = findingsOf(row.maskLabel ?? answer[0] ?? 'finding', (await masks.masks?.()) ?? [])
    return { boxes: boxesOf(findings), reference: reference(findings) }
  }
  const {
    seed = 42,
    fractions = defaultSplitFractions,
    templates = definition.templates ?? questionTemplates,
  } = options
  const task =
    row.form === 'short'
      ? shortQuestion(cue)
      : questionText({ sampleId: id, cue, labels, answerMode, modality: media.modality }, templates)
  return {
    id,
    dataset,
    domain,
    patientId: row.patientId,
    split: row.split ?? splitOfPatient(definition.splitGroup ?? dataset, row.patientId, { seed, fractions }),
    question: (row.text === undefined ? '' : `${row.text}\n\n`) + task,
    labels,
    ...(aliases && { aliases }),
    ...(negativeLabels && { negativeLabels }),
    answer,
    answerMode,
    reference: reference(row.findings ?? []),
    ...media,
    ...(row.text !== undefined && { text: row.text }),
    ...(row.demographics !== undefined && { demographics: row.demographics }),
    ...masks,
    ...(masks.masks && boxes.length === 0 && { locate: drawn }),
    ...(boxes.length > 0 && { boxes }),
  }
}

function boxesOf(findings: readonly Finding[]): BoxXyxy[] {
  return findings.flatMap(({ box }) => (box === undefined ? [] : [box]))
}

function findingsOf(label: string, masks: readonly PixelMask[]): Finding[] {
  return masks.flatMap((mask, image) =>
    boxesOfMask(mask).map(box => ({ label, box: { ...box, ...(image > 0 && { image }) } })),
  )
}

import { dataErrors } from '../errors.ts'
import type { DatasetFolder } from './dataset-folder.ts'
import type { DownloadSource } from './download-source.ts'
import type { IntensityWindow } from '../volume/intensity-window.ts'
import type { AroundPoint } from '../volume/slices.ts'
import type { QuestionTemplates } from '../sample/question.ts'
import type { Finding } from '../sample/reference.ts'
import type { Domain, Split } from '../sample/sample.ts'
import type { SampleForm } from '../sample/short-form.ts'

/** How a dataset may be obtained. */
export type Access = 'open' | 'kaggle' | 'physionet-credentialed' | 'request' | 'generated'

/** What a row shows and how it is decoded; paths are relative to the dataset's folder. */
export type Media =
  | { readonly type: 'image'; readonly files: readonly [string, ...string[]]; readonly crop?: PixelRegion }
  | { readonly type: 'ecg'; readonly header: string; readonly maxSeconds: number }
  | {
      readonly type: 'volume'
      readonly file: string
      readonly window?: IntensityWindow
      /** Frames around a finding; evenly over the volume where it is missing. */
      readonly around?: AroundPoint
    }
  | { readonly type: 'video'; readonly file: string }
  | {
      /** Pictures and an ECG of one admission, beside its text; either may be missing. */
      readonly type: 'record'
      readonly images: readonly string[]
      readonly header?: string
      readonly maxSeconds?: number
    }

/** A part of a picture, in pixels. */
export interface PixelRegion {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/**
 * Where a mask lies. A picture: above 127 is inside, or what has the given code. One of several pictures: the largest is
 * the mask, the others are cut-outs. A volume of codes: the frames of the scan are cut from it.
 */
export type MaskSource =
  | string
  | { readonly file: string; readonly code: number }
  | { readonly largestOf: readonly [string, ...string[]] }
  | { readonly volume: string; readonly codes: readonly number[] }

/** One row of a dataset's index, before its files are looked at. */
export interface DatasetRow {
  /** Unique within the dataset and stable; samples are sorted by it. */
  readonly key: string
  /** Where the row stands, for errors: a line of the index or a file. Never patient data. */
  readonly place: string
  readonly patientId: string
  /** The true labels; an empty list means that the row is unlabelled and is counted, not used. */
  readonly labels: readonly string[]
  readonly media: Media
  /** The official part, where there is one; otherwise the patient's hash decides. */
  readonly split?: Split
  /** The part of the release that the row lies in, where a release is cut into folders such as `g1`. */
  readonly part?: string
  /** Why the row must not be used, such as a recording known to be broken. */
  readonly excluded?: string
  /** What the question is asked about beside the pictures, such as laboratory values. */
  readonly text?: string
  /** How it asks and answers; in full where it is missing. */
  readonly form?: SampleForm
  /** Group of the patient, as `demographicLabel` names it. */
  readonly demographics?: string
  readonly findings?: readonly Finding[]
  /** Masks of the findings: pictures belong to the first picture and are cropped like it, volumes to every frame. */
  readonly masks?: readonly MaskSource[]
  /** Whether a pixel is a finding when any mask has it (default), or when more than half of them have it. */
  readonly maskRule?: 'any' | 'majority'
  /** What the masks show, such as `lesion`; the first label where it is missing. Boxes are named as the answer is, which they support. */
  readonly maskLabel?: string
}

/** Everything the project knows about a dataset. One value drives loading, questions, the docs page and tests. */
export interface DatasetDefinition {
  readonly id: string
  readonly title: string
  readonly domain: Domain
  /** What a sample is called in the question, such as `chest X-ray`. */
  readonly cue: string
  readonly labels: readonly string[]
  /** Other names by label that an answer may use, such as the abbreviations of table 5. */
  readonly aliases?: Readonly<Record<string, readonly string[]>>
  /** Labels that mean that nothing was found, such as `No Finding`: they have no place in the picture. */
  readonly negativeLabels?: readonly string[]
  readonly answerMode: 'single' | 'multi'
  readonly access: Access
  readonly licence: string
  readonly url: string
  /** Where a program fetches it from; missing for what `synthesise` makes. */
  readonly download?: DownloadSource
  /** What a downloaded dataset still lacks, and from where it comes. */
  readonly lacksAfterDownload?: string
  /** The folder layout that is read. */
  readonly layout: string
  /** Where the split comes from. */
  readonly splitRule: string
  /** Which masks or boxes there are. */
  readonly spatialTruth: string
  /** Where this definition differs from the public loader, and why. */
  readonly differences: readonly string[]
  /** Folders, relative to the root the user gives, that may hold the dataset; the first that has `marker` is used. */
  readonly locations: readonly DatasetLocation[]
  /** What the split by patient is drawn for instead of the id, so that tasks on the same patients share it. */
  readonly splitGroup?: string
  /** The values in which its scans are seen, of a set of volumes. */
  readonly window?: IntensityWindow
  /** Phrasings of its own, where those of the project do not fit the task. */
  readonly templates?: QuestionTemplates
  /** Pairs of labels that no sample can have at once; `verifyDataset` reports samples that do. */
  readonly exclusiveLabels?: readonly (readonly [string, string])[]
  /** Lists the rows in any order. */
  readonly rows: (folder: DatasetFolder, options: RowOptions) => Promise<readonly DatasetRow[]>
  /** Lists the same rows one after the other, in the order of the index: for indexes that are too long for memory. */
  readonly streamRows?: (folder: DatasetFolder) => AsyncIterable<DatasetRow>
}

/** Choices that only some datasets have. */
export interface RowOptions {
  /** Whose boxes count where several readers drew: those that most readers agree on (default), or one reader's. */
  readonly boxReaders?: 'majority' | 'one'
}

/** A place where a dataset may lie. */
export interface DatasetLocation {
  /** Relative to the root; `.` is the root itself. */
  readonly folder: string
  /** A file or folder that tells the place, relative to `folder`; an expression is looked for in all paths below it. */
  readonly marker: string | RegExp
}

/**
 * Checks a dataset definition and returns it.
 *
 * @throws DATA_DEFINITION_INVALID when the id, the labels, their other names or the locations are unusable
 */
export function defineDataset(definition: DatasetDefinition): DatasetDefinition {
  const { id, labels, locations, exclusiveLabels = [] } = definition
  const fail = (problem: string) => dataErrors.DEFINITION_INVALID({ id, problem })
  if (!/^[a-z0-9_]+$/.test(id)) throw fail('its id may hold lower-case letters, digits and "_" only')
  if (labels.length < 2 || new Set(labels.map(label => label.toLowerCase())).size !== labels.length)
    throw fail('it needs two or more labels that differ in more than case')
  const unsplittable = labels.find(label => /[,;\n]| and | & /.test(label) || !hasWholeBraces(label))
  if (unsplittable !== undefined) throw fail(`the label "${unsplittable}" holds a separator of answers`)
  const unknown = exclusiveLabels.flat().find(label => !labels.includes(label))
  if (unknown !== undefined) throw fail(`the exclusive label "${unknown}" is none of its labels`)
  if (locations.length === 0) throw fail('it names no location')
  const problem = namesProblem(definition)
  if (problem !== undefined) throw fail(problem)
  return definition
}

/** Other names belong to one label, and are no label themselves. */
function namesProblem({ labels, aliases = {}, negativeLabels = [] }: DatasetDefinition): string | undefined {
  const foreign = [...Object.keys(aliases), ...negativeLabels].find(label => !labels.includes(label))
  if (foreign !== undefined) return `"${foreign}" has other names or a meaning, but is no label`
  const taken = new Map(labels.map(label => [label.toLowerCase(), label]))
  for (const [label, names] of Object.entries(aliases))
    for (const name of names) {
      const owner = taken.get(name.toLowerCase())
      if (owner !== undefined) return `the name "${name}" of ${label} is taken by ${owner}`
      taken.set(name.toLowerCase(), label)
    }
  return undefined
}

/** Whether every brace of a label has its other one: `\boxed{…}` is read to the brace that closes it. */
function hasWholeBraces(label: string): boolean {
  let depth = 0
  for (const character of label) {
    if (character === '{') depth++
    else if (character === '}' && --depth < 0) return false
  }
  return depth === 0
}

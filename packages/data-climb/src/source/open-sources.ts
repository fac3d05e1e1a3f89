import path from 'node:path'
import type { DatasetDefinition, RowOptions } from '../dataset/dataset.ts'
import { dataErrors } from '../errors.ts'
import { openDataset } from '../open/open-dataset.ts'
import type { Domain, Sample, Split } from '../sample/sample.ts'
import { openIndex } from '../store/sample-index.ts'
import { openJsonl } from './jsonl-source.ts'
import { SampleCollection, type CollectedSource } from './sample-collection.ts'
import { samplesInMemory, type SampleSource } from '../sample/sample-source.ts'
import { keptRows, type SourceShare } from './sample-strata.ts'

/** Where samples come from: a dataset's folder, an index that `buildIndex` wrote, a public JSONL, or a program. */
export type SourceSpec = SourceShare & SourceChoice & SourcePlace

/** Which rows of a source take part. */
interface SourceChoice {
  /** Only samples of this part; of a JSONL, whose rows have none, the part that they are: `train` by default. */
  readonly split?: Split
  /** At most this many samples, drawn by seed. */
  readonly limit?: number
}

type SourcePlace =
  | (RowOptions & {
      readonly dataset: string | DatasetDefinition
      /** The folder into which the dataset was unpacked. */
      readonly root: string
      readonly onError?: 'throw' | 'skip'
    })
  | {
      /** One index, or its shards in their order. */
      readonly index: string | readonly string[]
      /** The folder that the index was built from; it may have moved since. */
      readonly root: string
    }
  | {
      /** A file as `writeJsonl` and the public training code write it. */
      readonly jsonl: string
      /** The folder that its paths must not leave; the file's own by default. */
      readonly root?: string
    }
  | { readonly samples: readonly Sample[] }

/** Options of `openSources`. */
export interface OpenSourcesOptions {
  /** What relative paths are relative to; the working directory by default. */
  readonly baseFolder?: string
  /** Draws the samples of a `limit`; 42 by default. */
  readonly seed?: number
}

/**
 * Opens several sources as one collection. Of an index and of a JSONL only six bytes a row are kept: their samples are read when they are
 * asked for.
 *
 * @throws DATA_OPTION_INVALID for a weight or limit that is not above 0, and what `openDataset`, `openIndex` and `openJsonl` throw
 * @example
 * const data = await openSources([{ index: 'ecg.parquet', root: 'data/ecg', balanced: 'label' }, { jsonl: 'qa.jsonl', limit: 5000 }])
 * const training = data.select({ splits: ['train'] })
 * const samples = await training.read(training.draws(0, 64, 42))
 */
export async function openSources(
  specs: readonly SourceSpec[],
  { baseFolder = '.', seed = 42 }: OpenSourcesOptions = {},
): Promise<SampleCollection> {
  const opened: CollectedSource[] = []
  for (const spec of specs) {
    checkShare(spec)
    const source = await openOne(spec, baseFolder)
    const { split, limit, weight, balanced } = spec
    const isKept = (facts: { readonly split: Split; readonly domain: Domain }): boolean =>
      split === undefined || facts.split === split
    const rows = keptRows(source.facts, isKept, { limit, seed })
    opened.push({ source, rows, ...(weight !== undefined && { weight }), ...(balanced && { balanced }) })
  }
  return new SampleCollection(opened)
}

async function openOne(spec: SourceSpec, baseFolder: string): Promise<SampleSource> {
  const at = (place: string): string => path.resolve(baseFolder, place)
  if ('samples' in spec) return samplesInMemory(spec.samples)
  if ('index' in spec) return openIndex([spec.index].flat().map(at), { root: at(spec.root) })
  if ('jsonl' in spec) {
    const { jsonl, root, split } = spec
    return openJsonl(at(jsonl), { ...(root !== undefined && { root: at(root) }), ...(split && { split }) })
  }
  const { dataset, root, onError, boxReaders } = spec
  const options = { root: at(root), ...(onError && { onError }), ...(boxReaders && { boxReaders }) }
  const { samples, problems } = await openDataset(dataset, options)
  return samplesInMemory(samples, problems.length)
}

function checkShare({ weight = 1, limit = 1 }: SourceSpec): void {
  if (!(weight > 0 && weight < Infinity)) throw outOfRange('weight', weight, 'a number above 0')
  if (!(Number.isInteger(limit) && limit > 0)) throw outOfRange('limit', limit, 'a whole number above 0')
}

function outOfRange(name: string, value: number, range: string): Error {
  return dataErrors.OPTION_INVALID({ name, value: String(value), range })
}

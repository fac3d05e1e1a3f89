import type { DatasetDefinition } from '../dataset/dataset.ts'
import type { DownloadSource } from '../dataset/download-source.ts'
import { listDatasets } from '../datasets/registry.ts'
import { dataErrors } from '../errors.ts'

/**
 * Says what a downloaded dataset still lacks, and from where it comes.
 *
 * @returns a sentence, or undefined where nothing is lacking
 */
export function lackingAfterDownload(dataset: string): string | undefined {
  return definitionOf(dataset)?.lacksAfterDownload
}

/**
 * Finds out where a dataset can be had.
 *
 * @returns undefined for a dataset that `synthesise` makes
 */
export function downloadSource(dataset: string): DownloadSource | undefined {
  return definitionOf(dataset)?.download
}

function definitionOf(dataset: string): DatasetDefinition | undefined {
  return listDatasets().find(({ id }) => id === dataset)
}

/** Environment variables that hold the credentials of a kind of source; nothing else is read for them. */
const credentialNames: Readonly<Record<DownloadSource['type'], readonly string[]>> = {
  physionet: ['PHYSIONET_USERNAME', 'PHYSIONET_PASSWORD'],
  kaggle: ['KAGGLE_USERNAME', 'KAGGLE_KEY'],
  'kaggle-competition': ['KAGGLE_USERNAME', 'KAGGLE_KEY'],
  github: [],
  zenodo: [],
  huggingface: ['HF_TOKEN'],
  tcia: [],
  manual: [],
}

/** Says how a dataset is got, in a sentence. */
export function howToGet(dataset: string): string {
  const source = downloadSource(dataset)
  if (source === undefined) return 'made by `qoq data synth`'
  if (source.type === 'manual') return `by hand: ${source.how}`
  const names = neededCredentials(source)
  const needs = names.length > 0 ? `, with ${names.join(' and ')} in the environment or typed when asked` : ''
  const lack = lackingAfterDownload(dataset)
  return `\`qoq data download ${dataset} --root DIR\`${needs}${lack === undefined ? '' : `. ${lack}`}`
}

/** Reads a source as a person types it: `zenodo:7153205`, `huggingface:owner/name`, `physionet:ptb-xl/1.0.3`. */
const typedSources: Readonly<Record<string, (value: string) => DownloadSource>> = {
  physionet: value => ({ type: 'physionet', project: value.split('/')[0] ?? '', version: value.split('/')[1] ?? '' }),
  kaggle: dataset => ({ type: 'kaggle', dataset }),
  'kaggle-competition': competition => ({ type: 'kaggle-competition', competition }),
  github: value => ({ type: 'github', repository: value.split('@')[0] ?? '', ref: value.split('@')[1] ?? 'HEAD' }),
  zenodo: record => ({ type: 'zenodo', record }),
  huggingface: value => ({
    type: 'huggingface',
    repository: value.split('@')[0] ?? '',
    revision: value.split('@')[1] ?? 'main',
  }),
  tcia: collection => ({ type: 'tcia', collection }),
}

/**
 * Reads a source of one's own, such as a mirror: `TYPE:NAME`.
 *
 * @throws DATA_OPTION_INVALID
 */
export function parseDownloadSource(text: string): DownloadSource {
  const [, type = '', value = ''] = /^([a-z-]+):([\w./@ -]+)$/i.exec(text) ?? []
  const make = Object.hasOwn(typedSources, type) ? typedSources[type] : undefined
  if (make !== undefined && value !== '' && !value.split('/').includes('..')) return make(value)
  throw dataErrors.OPTION_INVALID({
    name: 'from',
    value: text,
    range: `one of ${Object.keys(typedSources).join(', ')}, a colon and a name, such as zenodo:7153205`,
  })
}

function neededCredentials(source: DownloadSource): readonly string[] {
  const isOpen = source.type === 'physionet' ? source.isCredentialed !== true : source.type === 'huggingface'
  return isOpen ? [] : credentialNames[source.type]
}

/**
 * Makes the `Authorization` header of a source.
 *
 * @param secret gives the value of a name, from the environment or a prompt; undefined where there is none
 * @returns undefined where the source is open and no credentials are there
 * @throws DATA_CREDENTIALS_MISSING
 */
export async function authorizationOf(
  source: DownloadSource,
  secret: (name: string) => Promise<string | undefined>,
): Promise<string | undefined> {
  const needed = neededCredentials(source)
  const values: string[] = []
  for (const name of needed) {
    const value = await secret(name)
    if (value === undefined || value === '') throw dataErrors.CREDENTIALS_MISSING({ name, place: source.type })
    values.push(value)
  }
  if (values.length === 0) return undefined
  return values.length === 1 ? `Bearer ${values[0]}` : `Basic ${Buffer.from(values.join(':')).toString('base64')}`
}

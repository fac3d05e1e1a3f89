import { dataErrors } from '../errors.ts'

/** Where a dataset can be had: what a downloader needs to know, as data. */
export type DownloadSource = SourceType & {
  /** Files that lie at another host than the source: where, and their paths below the root. */
  readonly alsoFrom?: { readonly host: FileHost; readonly files: Readonly<Record<string, string>> }
}

/** A host that gives single files. */
export type FileHost = 'tcia-pages' | 'kits-imaging'

type SourceType =
  | {
      readonly type: 'physionet'
      readonly project: string
      readonly version: string
      readonly isCredentialed?: true
      /** The folder of the project that is the dataset; it becomes the root. */
      readonly folder?: string
      /** Files of the project that are needed, by their beginnings; all where it is missing. */
      readonly only?: readonly string[]
    }
  | { readonly type: 'kaggle'; readonly dataset: string }
  | { readonly type: 'kaggle-competition'; readonly competition: string }
  | { readonly type: 'github'; readonly repository: string; readonly ref: string }
  | { readonly type: 'zenodo'; readonly record: string }
  | { readonly type: 'huggingface'; readonly repository: string; readonly revision: string }
  | { readonly type: 'tcia'; readonly collection: string }
  | { readonly type: 'manual'; readonly how: string }

const challenge2021 = (folder: string) =>
  ({ type: 'physionet', project: 'challenge-2021', version: '1.0.3', folder: `training/${folder}/` }) as const

/** The tables of MIMIC-IV that both tasks read. */
const mimicIv = {
  type: 'physionet',
  project: 'mimiciv',
  version: '3.1',
  isCredentialed: true,
  only: ['hosp/', 'icu/'],
} as const

const cbisTables = ['mass', 'calc'].flatMap(kind =>
  ['train', 'test'].map(part => `${kind}_case_description_${part}_set.csv`),
)

/** The 489 cases of KiTS23; their scans are not in the repository, whose download command fetches them from this host. */
const kitsCases = [...numbers(0, 299), ...numbers(400, 588)].map(number => String(number).padStart(5, '0'))

function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

/** What a source lacks, where a program cannot get it. */
const lacking: Readonly<Record<string, string>> = {
  covid_us:
    'The repository holds lists and notebooks, but no video: run its notebooks, which collect the videos from their sources into data/video.',
  mimic_iv_los:
    'Chest X-rays and ECGs are projects of their own: put mimic-cxr-jpg and mimic-iv-ecg beside hosp and icu.',
  mimic_iv_48ihm:
    'Chest X-rays and ECGs are projects of their own: put mimic-cxr-jpg and mimic-iv-ecg beside hosp and icu.',
}

/**
 * Says what a downloaded dataset still lacks, and from where it comes.
 *
 * @returns a sentence, or undefined where nothing is lacking
 */
export function lackingAfterDownload(dataset: string): string | undefined {
  return Object.hasOwn(lacking, dataset) ? lacking[dataset] : undefined
}

/** One row per dataset that is not generated; the URLs are those of the definitions. */
const sources: Readonly<Record<string, DownloadSource>> = {
  ptb_xl: { type: 'physionet', project: 'ptb-xl', version: '1.0.3' },
  chapman_shaoxing: { type: 'physionet', project: 'ecg-arrhythmia', version: '1.0.0' },
  georgia: challenge2021('georgia'),
  cpsc: challenge2021('cpsc_2018'),
  chexpert: { type: 'manual', how: 'register at Stanford AIMI and accept its research use agreement' },
  mimic_cxr: { type: 'physionet', project: 'mimic-cxr-jpg', version: '2.1.0', isCredentialed: true },
  vindr_cxr: { type: 'physionet', project: 'vindr-cxr', version: '1.0.0', isCredentialed: true },
  covid_19: { type: 'kaggle', dataset: 'darshan1504/covid19-detection-xray-dataset' },
  coronahack: { type: 'kaggle', dataset: 'praveengovi/coronahack-chest-xraydataset' },
  vindr_mammo: { type: 'physionet', project: 'vindr-mammo', version: '1.0.0', isCredentialed: true },
  cbis_ddsm: {
    type: 'tcia',
    collection: 'CBIS-DDSM',
    alsoFrom: {
      host: 'tcia-pages',
      files: Object.fromEntries(cbisTables.map(name => [`csv/${name}`, `/wp-content/uploads/${name}`])),
    },
  },
  cmmd: {
    type: 'tcia',
    collection: 'CMMD',
    alsoFrom: {
      host: 'tcia-pages',
      files: { 'CMMD_clinicaldata_revision.xlsx': '/wp-content/uploads/CMMD_clinicaldata_revision.xlsx' },
    },
  },
  isic_2020: { type: 'kaggle-competition', competition: 'siim-isic-melanoma-classification' },
  ham10000: { type: 'manual', how: 'fetch the ISIC 2018 task 3 training data from challenge.isic-archive.com' },
  pad_ufes_20: { type: 'manual', how: 'fetch the archive zr7vgbcyr2 from Mendeley Data' },
  messidor_2: { type: 'manual', how: 'ask for the pictures at ADCIS; the grades are on Kaggle' },
  aptos_2019: { type: 'kaggle-competition', competition: 'aptos2019-blindness-detection' },
  jichi: { type: 'manual', how: 'fetch the archive 4879853 from figshare' },
  lndb: { type: 'manual', how: 'register at lndb.grand-challenge.org' },
  inspect: { type: 'manual', how: 'register at Stanford AIMI and accept its research use agreement' },
  kits23: {
    type: 'github',
    repository: 'neheller/kits23',
    ref: 'main',
    alsoFrom: {
      host: 'kits-imaging',
      files: Object.fromEntries(
        kitsCases.map(number => [`dataset/case_${number}/imaging.nii.gz`, `/master_${number}.nii.gz`]),
      ),
    },
  },
  hemorrhage: { type: 'kaggle', dataset: 'vbookshelf/computed-tomography-ct-images' },
  rspect: { type: 'kaggle-competition', competition: 'rsna-str-pulmonary-embolism-detection' },
  busi: { type: 'kaggle', dataset: 'aryashah2k/breast-ultrasound-images-dataset' },
  covid_blues: { type: 'github', repository: 'NinaWie/COVID-BLUES', ref: 'main' },
  covid_us: { type: 'github', repository: 'nrc-cnrc/COVID-US', ref: 'main' },
  brain_tumor: { type: 'kaggle', dataset: 'sartajbhuvaji/brain-tumor-classification-mri' },
  brain_tumor_2: { type: 'kaggle', dataset: 'navoneel/brain-mri-images-for-brain-tumor-detection' },
  lc25000: { type: 'manual', how: 'follow the link of github.com/tampapath/lung_colon_image_set' },
  bcss: { type: 'manual', how: 'follow the links of github.com/PathologyDataScience/BCSS' },
  mimic_iv_los: mimicIv,
  mimic_iv_48ihm: mimicIv,
}

/**
 * Finds out where a dataset can be had.
 *
 * @returns undefined for a dataset that `synthesise` makes
 */
export function downloadSource(dataset: string): DownloadSource | undefined {
  return Object.hasOwn(sources, dataset) ? sources[dataset] : undefined
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

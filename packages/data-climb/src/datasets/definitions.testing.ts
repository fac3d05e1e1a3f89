import path from 'node:path'
import type { Sample, Split } from '../sample/sample.ts'
import { writeMimicIv } from './mimic-iv.testing.ts'

type LabelsJson = Readonly<Record<string, { readonly items?: unknown }>>
type Items = Readonly<Record<string, unknown>>

/** What one definition gives on a small layout. */
export interface DefinitionCase {
  /** A folder of ../shared/data, or a function that writes a layout. */
  readonly layout: string | ((root: string) => Promise<void>)
  /** Rows, kept, unlabelled, excluded, missing, unreadable. */
  readonly tally: readonly [number, number, number, number, number, number]
  /** The items of the truth. */
  readonly items: (truth: LabelsJson) => Items
  readonly answerOf: {
    /** The items that a sample stands for. */
    readonly keys: (sample: Sample) => readonly string[]
    /** The labels that an item's value stands for. */
    readonly labels: (value: never) => readonly string[]
  }
  /** Items that no sample stands for, with the reason. */
  readonly unused?: Readonly<Record<string, string>>
  /** Samples per part where the parts are official, else `hash`. */
  readonly splits: Readonly<Record<Split, number>> | 'hash'
  /** Whether the made-up rows put a patient into two official parts. */
  readonly patientsAreSpread?: boolean
  /** Pictures and leads of the first sample. */
  readonly pictures: readonly [number, number]
  /** Samples with masks, and with boxes in the index. */
  readonly masked?: number
  readonly boxed?: number
}

/** Records whose classes differ from the public loader's mapping (`climb_*` of labels.json), with the reason. */
export const differing: Readonly<Record<string, { readonly ours: readonly string[]; readonly reason: string }>> = {
  ...Object.fromEntries(
    [
      ['HR06000', 'STTC'],
      ['HR06001', 'STTC'],
      ['HR06002', 'Conduction Delay'],
    ].map(([record, label]) => [
      `ptb_xl/${record}`,
      { ours: [label!], reason: 'Normal is a normal ECG in PTB-XL; the public loader calls every sinus rhythm Normal' }, // two texts
    ]),
  ),
  'chapman_shaoxing/JS20000': {
    ours: ['Normal', 'Conduction Delay', 'STTC', 'Other'],
    reason: 'ST changes (55930002) are in the table of PTB-XL and Georgia, but not in that of Chapman',
  },
  'chapman_shaoxing/JS20008': {
    ours: ['Normal', 'Other'],
    reason: 'sinus arrhythmia (427393009) is in the table of PTB-XL and Georgia, but not in that of Chapman',
  },
  'chapman_shaoxing/JS20014': {
    ours: ['Normal', 'Conduction Delay', 'Hypertrophy', 'STTC', 'Other'],
    reason: 'ST changes (55930002), as in JS20000',
  },
}

const stem = (sample: Sample) => path.basename(sample.id).replace(/\.\w+$/, '')
const name = (sample: Sample) => path.basename(sample.id)
const grades = ['No DR', 'Mild DR', 'Moderate DR', 'Severe DR', 'Proliferative DR']
const lesions = { MEL: 'Melanoma', NV: 'Nevus', BCC: 'Basal Cell Carcinoma', AKIEC: 'AKIEC', OTHER: 'Other' }
const tissues = {
  colon_aca: 'Colon adenocarcinomas',
  colon_n: 'Benign colon',
  lung_aca: 'Lung adenocarcinomas',
  lung_scc: 'Lung squamous cell carcinomas',
  lung_n: 'Benign lung',
}
const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)
const spaced = (word: string) => word.replace(/([a-z])([A-Z])/g, '$1 $2')
const titled = (word: string) => word.split('_').map(capital).join(' ')

/** Items of labels.json under a key. */
const itemsOf = (key: string) => (truth: LabelsJson) => truth[key]?.items as Items // labels.json
/** One item per sample, named by a function; its value is one label. */
const single = <Value>(key: (sample: Sample) => string, label: (value: Value) => string) => ({
  keys: (sample: Sample) => [key(sample)],
  labels: (value: Value) => [label(value)],
})
const same = (value: string) => value
const asList = (value: readonly string[]) => value
/** Items named by the path from ../shared/data. */
const under = (folder: string) => (sample: Sample) => sample.id.replace(/^[^/]+/, folder)

const classOfFlag: Readonly<Record<string, string>> = {
  normal: 'Normal',
  cd: 'Conduction Delay',
  hyp: 'Hypertrophy',
  mi: 'Myocardial Infarction',
  sttc: 'STTC',
  afib: 'A. Fib/Aflutter',
  other: 'Other',
}

interface EcgTruth {
  readonly climb_7bit_from_header: Readonly<Record<string, 0 | 1>>
}

/** Records of one Challenge folder, by the public mapping of their header. */
function ecgCase(folder: string, kept: number): DefinitionCase {
  return {
    layout: folder,
    tally: [kept, kept, 0, 0, 0, 0],
    items: truth =>
      Object.fromEntries(
        Object.entries(truth['ecg'] as unknown as Readonly<Record<string, EcgTruth>>) // labels.json
          .filter(([file]) => file.startsWith(folder))
          .map(([file, entry]) => [path.basename(file, '.hea'), entry]),
      ),
    answerOf: {
      keys: sample => [name(sample)],
      labels: ({ climb_7bit_from_header: flags }: EcgTruth) =>
        Object.keys(flags)
          .filter(flag => flags[flag] === 1)
          .map(flag => classOfFlag[flag] ?? flag),
    },
    splits: 'hash',
    pictures: [0, 12],
  }
}

/** The three readers of a picture, or the consensus: items by the image id. */
const cxrVindr: Items = {
  '445004a3f77324c6533b5428ff9bd488': ['No finding'],
  '535f171e7055894749c55909c07479d7': ['Pneumonia'],
  '4d8a2d82212b9059a843855a2793eb0b': ['No finding'],
  '826b0144e9955633c1a5b29001573718': ['Pneumonia'],
  ab113f243c1ea867d161b91e37d3b8c2: ['Pneumonia'],
}

/** One row per definition, in the order of the registry. */
export const definitionCases: Readonly<Record<string, DefinitionCase>> = {
  ptb_xl: ecgCase('ecg-ptbxl/WFDB_PTBXL', 6),
  chapman_shaoxing: ecgCase('ecg-chapman/WFDB_ChapmanShaoxing', 10),
  georgia: ecgCase('ecg-georgia/WFDB_Ga', 11),
  cpsc: {
    ...ecgCase('ecg-cpsc/WFDB_CPSC2018', 1),
    tally: [6, 1, 5, 0, 0, 0],
    unused: Object.fromEntries(
      ['A1980', 'A1981', 'A1982', 'A1984', 'A1985'].map(record => [record, 'its header says "Dx: Unknown"']),
    ),
  },
  chexpert: {
    layout: 'cxr-chexpert',
    tally: [10, 10, 0, 0, 0, 0],
    items: itemsOf('cxr-chexpert'),
    answerOf: {
      keys: sample => [sample.id.replace('chexpert', 'CheXpert-v1.0')],
      labels: (value: readonly string[]) => value,
    },
    splits: { train: 7, valid: 0, test: 3 },
    pictures: [1, 0],
  },
  mimic_cxr: {
    layout: 'cxr-mimic',
    tally: [4, 4, 0, 0, 0, 0],
    items: () => ({
      '99990001': ['No Finding'],
      '99990002': ['Pneumonia'],
      '99990003': ['Pneumonia'],
      '99990004': ['Pneumonia'],
    }),
    answerOf: { keys: sample => [sample.patientId], labels: asList },
    splits: { train: 2, valid: 1, test: 1 },
    pictures: [1, 0],
  },
  vindr_cxr: {
    layout: 'cxr-vindr',
    tally: [5, 5, 0, 0, 0, 0],
    items: () => cxrVindr,
    answerOf: { keys: sample => [name(sample)], labels: asList },
    splits: { train: 3, valid: 0, test: 2 },
    pictures: [1, 0],
  },
  covid_19: {
    layout: 'cxr-covid19',
    tally: [19, 19, 0, 0, 0, 0],
    items: itemsOf('cxr-covid19'),
    answerOf: single(under('cxr-covid19'), spaced),
    splits: { train: 13, valid: 0, test: 6 },
    pictures: [1, 0],
  },
  coronahack: {
    layout: 'cxr-coronahack',
    tally: [13, 13, 0, 0, 0, 0],
    items: itemsOf('cxr-coronahack'),
    answerOf: single(sample => sample.id.replace('coronahack/', ''), spaced),
    splits: { train: 7, valid: 0, test: 6 },
    pictures: [1, 0],
  },
  vindr_mammo: {
    layout: 'mammo-vindr',
    tally: [6, 6, 0, 0, 0, 0],
    items: itemsOf('mammo-vindr'),
    answerOf: single(name, ([grade]: readonly [string, string]) => grade),
    splits: { train: 4, valid: 0, test: 2 },
    // The made-up rows put one exam into both parts; the real ones do not.
    patientsAreSpread: true,
    pictures: [1, 0],
  },
  cbis_ddsm: {
    layout: 'mammo-cbis',
    tally: [14, 14, 0, 0, 0, 0],
    items: truth =>
      Object.fromEntries(
        Object.entries(itemsOf('mammo-cbis')(truth)).map(([file, grade]) => [file.split('/')[0], grade]),
      ),
    answerOf: single(name, (grade: number) => `BI-RADS ${grade}`),
    splits: { train: 8, valid: 0, test: 6 },
    pictures: [1, 0],
  },
  cmmd: {
    layout: 'mammo-cmmd',
    tally: [1872, 5, 0, 0, 1867, 0],
    items: itemsOf('mammo-cmmd'),
    answerOf: { keys: sample => [sample.patientId], labels: asList },
    splits: 'hash',
    pictures: [2, 0],
  },
  isic_2020: {
    layout: 'derm-isic2020',
    tally: [8, 8, 0, 0, 0, 0],
    items: itemsOf('derm-isic2020'),
    answerOf: single(stem, capital),
    splits: 'hash',
    pictures: [1, 0],
  },
  ham10000: {
    layout: 'derm-ham10000',
    tally: [26, 26, 0, 0, 0, 0],
    items: itemsOf('derm-ham10000'),
    answerOf: single(stem, (value: keyof typeof lesions) => lesions[value]),
    splits: 'hash',
    pictures: [1, 0],
  },
  pad_ufes_20: {
    layout: 'derm-pad-ufes-20',
    tally: [6, 6, 0, 0, 0, 0],
    items: itemsOf('derm-pad-ufes-20'),
    answerOf: single(name, (value: keyof typeof lesions) => lesions[value]),
    splits: 'hash',
    pictures: [1, 0],
  },
  messidor_2: {
    layout: 'fundus-messidor2',
    tally: [7, 7, 0, 0, 0, 0],
    items: itemsOf('fundus-messidor2'),
    answerOf: single(name, (value: number) => grades[value] ?? ''),
    splits: 'hash',
    pictures: [1, 0],
  },
  aptos_2019: {
    layout: 'fundus-aptos',
    tally: [10, 10, 0, 0, 0, 0],
    items: itemsOf('fundus-aptos'),
    answerOf: single(stem, (value: number) => grades[value] ?? ''),
    splits: 'hash',
    pictures: [1, 0],
  },
  jichi: {
    layout: 'fundus-jichi',
    tally: [6, 6, 0, 0, 0, 0],
    items: itemsOf('fundus-jichi'),
    answerOf: single(
      name,
      (value: number) => ['No DR', 'Simple DR', 'Pre-proliferative DR', 'Proliferative DR'][value] ?? '',
    ),
    splits: 'hash',
    pictures: [1, 0],
  },
  lndb: {
    layout: 'ct-lndb',
    tally: [7, 7, 0, 0, 0, 0],
    items: truth => {
      const items = truth['ct-lndb']?.items as readonly (readonly [number, number, number, string])[] // labels.json
      return Object.fromEntries(items.map(([scan, reader, finding, label]) => [`${scan}/${reader}.${finding}`, label]))
    },
    answerOf: {
      // A finding stands for the mark of every reader who saw it.
      keys: sample => {
        const [scan = '', marks = ''] = sample.id.replace('lndb/LNDb-', '').split('/')
        return marks.split('+').map(mark => `${Number(scan)}/${mark}`)
      },
      labels: (value: string) => [value.replace(/([<>]=?)/, '$1 ')],
    },
    splits: 'hash',
    pictures: [4, 0],
    masked: 4,
  },
  inspect: {
    layout: 'ct-inspect',
    tally: [6, 5, 0, 0, 1, 0],
    items: itemsOf('ct-inspect'),
    answerOf: single(name, same),
    unused: { '9900005': 'its volume is missing on purpose' },
    splits: 'hash',
    pictures: [4, 0],
  },
  kits23: {
    layout: 'ct-kits23',
    tally: [5, 3, 1, 0, 1, 0],
    items: itemsOf('ct-kits23'),
    answerOf: single(name, same),
    unused: { case_00550: 'it has no label', case_00038: 'its imaging is missing on purpose' },
    splits: 'hash',
    pictures: [4, 0],
    masked: 3,
  },
  hemorrhage: {
    layout: 'ct-hemorrhage',
    tally: [10, 10, 0, 0, 0, 0],
    items: itemsOf('ct-hemorrhage'),
    answerOf: single(sample => sample.id.replace(/^hemorrhage\/(\d+)\/0*/, '$1/'), same),
    splits: 'hash',
    pictures: [2, 0],
    masked: 2,
  },
  rspect: {
    layout: 'ct-rspect',
    tally: [11, 11, 0, 0, 0, 0],
    items: itemsOf('ct-rspect'),
    answerOf: single(name, same),
    splits: 'hash',
    pictures: [1, 0],
  },
  busi: {
    layout: 'us-busi',
    tally: [18, 18, 0, 0, 0, 0],
    items: itemsOf('us-busi'),
    answerOf: single(under('us-busi/Dataset_BUSI_with_GT'), capital),
    splits: 'hash',
    pictures: [1, 0],
    masked: 12,
  },
  covid_blues: {
    layout: 'us-covid-blues',
    tally: [12, 12, 0, 0, 0, 0],
    items: itemsOf('us-covid-blues'),
    answerOf: single(under('us-covid-blues/lus_videos'), (value: number) => (value === 1 ? 'Has COVID' : 'No COVID')),
    splits: 'hash',
    pictures: [4, 0],
  },
  covid_us: {
    layout: 'us-covid-us',
    tally: [6, 5, 1, 0, 0, 0],
    items: itemsOf('us-covid-us'),
    answerOf: single(under('us-covid-us/videos'), (value: string) => (value === 'covid' ? 'COVID' : capital(value))),
    unused: { 'us-covid-us/videos/130_litfl_other_prc_convex.mp4': 'the class "other" is no class of table 5' },
    splits: 'hash',
    pictures: [4, 0],
  },
  brain_tumor: {
    layout: 'mri-brain-tumor',
    tally: [28, 28, 0, 0, 0, 0],
    items: itemsOf('mri-brain-tumor'),
    answerOf: single(under('mri-brain-tumor'), titled),
    splits: { train: 20, valid: 0, test: 8 },
    pictures: [1, 0],
  },
  brain_tumor_2: {
    layout: 'mri-brain-tumor-2',
    tally: [15, 15, 0, 0, 0, 0],
    items: itemsOf('mri-brain-tumor-2'),
    answerOf: single(under('mri-brain-tumor-2'), (value: string) => (value === 'yes' ? 'Has Tumor' : 'No Tumor')),
    splits: 'hash',
    pictures: [1, 0],
  },
  lc25000: {
    layout: 'path-lc25000',
    tally: [20, 20, 0, 0, 0, 0],
    items: itemsOf('path-lc25000'),
    answerOf: single(under('path-lc25000'), (value: keyof typeof tissues) => tissues[value]),
    splits: 'hash',
    pictures: [1, 0],
  },
  bcss: {
    layout: 'path-bcss',
    tally: [6, 6, 0, 0, 0, 0],
    // Both masks are one drawing; its codes fill 91, 70 and 94 % of these tiles.
    items: () =>
      Object.fromEntries(
        ['TCGA-A1-A0SK-DX1_xmin45749_ymin25055', 'TCGA-OL-A5D6-DX1_xmin115108_ymin40554'].flatMap(slide =>
          Object.entries({ '00000-00000': 'Tumor', '00000-00224': 'Stroma', '00144-00000': 'Tumor' }).map(
            ([tile, label]) => [`${slide}_MPP-0.2500.png/${tile}`, label],
          ),
        ),
      ),
    answerOf: single(sample => sample.id.replace('bcss/', ''), same),
    splits: { train: 3, valid: 0, test: 3 },
    pictures: [1, 0],
    masked: 6,
  },
  mimic_iv_los: mimicCase(
    id => ({ '101': 'B: 5-8 days', '102': 'C: 9-12 days', '103': 'D: more than 12 days' })[id] ?? 'A: 0-4 days',
  ),
  mimic_iv_48ihm: mimicCase(id =>
    ['104', '105', '111'].includes(id) ? 'positive (death or discharge to hospice within 48 h)' : 'negative',
  ),
}

/** Admissions that have both media in the window. */
const usableAdmissions = ['100', '101', '102', '103', '104', '105', '106', '107', '111']

function mimicCase(labelOf: (id: string) => string): DefinitionCase {
  return {
    layout: writeMimicIv,
    tally: [12, 9, 0, 3, 0, 0],
    items: () => Object.fromEntries(usableAdmissions.map(id => [id, labelOf(id)])),
    answerOf: single(name, same),
    splits: 'hash',
    pictures: [2, 12],
  }
}

import { defineDataset } from '../dataset/dataset.ts'
import { challengeRows } from './challenge-rows.ts'
import { ecgClasses, exclusiveEcgClasses } from '../ecg/snomed-classes.ts'
import { ecgNames } from './label-names.ts'

const hugeValues = 'holds exceptionally large values'

/** What the ECG sets share. */
const ecgSet = {
  domain: 'ecg',
  cue: '12-lead ECG',
  labels: ecgClasses,
  ...ecgNames,
  answerMode: 'multi',
  exclusiveLabels: exclusiveEcgClasses,
  spatialTruth: 'none',
} as const

const snomedDifferences = [
  'Normal means that a sinus rhythm of any rate is coded, as in the public loader: it is not a normal ECG and may stand beside other classes. Beside an infarction it is a contradiction, which `verify` reports.',
  'One SNOMED CT table serves the four ECG sets; the public loader has four that conflict.',
  'The set of classes is kept; the public loader draws one at random, and one of all seven where there is none.',
  'Recordings of any length are used, cut to 10 s; the public loader keeps those of exactly 5,000 samples.',
]

/** Georgia 12-lead ECG Challenge set: 10,344 recordings of 5 to 10 s at 500 Hz. */
export const georgia = defineDataset({
  ...ecgSet,
  id: 'georgia',
  download: { type: 'physionet', project: 'challenge-2021', version: '1.0.3', folder: 'training/georgia/' },
  title: 'Georgia 12-lead ECG Challenge',
  access: 'open',
  licence: 'CC BY 4.0',
  url: 'https://physionet.org/content/challenge-2021/',
  layout:
    'E*.hea and E*.mat in one folder (WFDB_Ga), or in the parts g1 to g11 of training/georgia as the Challenge of 2021 has them',
  splitRule: 'by hash of the record id; the set names no patients',
  differences: [
    ...snomedDifferences,
    'Atrial fibrillation and flutter are A. Fib/Aflutter; a slip in letter case loses them in the public loader.',
  ],
  locations: ['WFDB_Ga', 'training/georgia', 'georgia', '.'].map(folder => ({ folder, marker: /^E\d+\.hea$/ })),
  rows: folder =>
    challengeRows(folder, {
      names: /^E\d+$/,
      excluded: Object.fromEntries(
        ['E04603', 'E06072', 'E06909', 'E07675', 'E07941', 'E08321'].map(record => [record, hugeValues]),
      ),
    }),
})

/** Chapman-Shaoxing: 10,646 recordings of 10 s at 500 Hz, one per patient; the Ningbo release is read too. */
export const chapmanShaoxing = defineDataset({
  ...ecgSet,
  id: 'chapman_shaoxing',
  download: { type: 'physionet', project: 'ecg-arrhythmia', version: '1.0.0' },
  title: 'Chapman-Shaoxing',
  access: 'open',
  licence: 'CC BY 4.0',
  url: 'https://physionet.org/content/ecg-arrhythmia/1.0.0/',
  layout:
    'JS*.hea and JS*.mat in one folder (WFDB_ChapmanShaoxing), in WFDBRecords/NN/NNN as PhysioNet has them, or in the parts of the Challenge of 2021',
  splitRule: 'by hash of the record id; one recording per patient',
  differences: [
    ...snomedDifferences,
    'Right bundle branch block is Conduction Delay; a slip in letter case loses it in the public loader.',
    'AV re-entrant tachycardia is Conduction Delay and low QRS voltage Other; the public loader has Hypertrophy and Conduction Delay.',
    'Codes of the Ningbo half are mapped or left aside; the public loader stops at them.',
  ],
  locations: ['WFDB_ChapmanShaoxing', 'WFDBRecords', 'training/chapman_shaoxing', 'chapman_shaoxing', '.'].map(
    folder => ({ folder, marker: /^JS\d+\.hea$/ }),
  ),
  rows: folder => challengeRows(folder, { names: /^JS\d+$/ }),
})

/** CPSC 2018: 6,877 recordings of 6 s and more at 500 Hz. */
export const cpsc = defineDataset({
  ...ecgSet,
  id: 'cpsc',
  download: { type: 'physionet', project: 'challenge-2021', version: '1.0.3', folder: 'training/cpsc_2018/' },
  title: 'CPSC 2018',
  access: 'open',
  licence: 'CC BY 4.0',
  url: 'https://physionet.org/content/challenge-2021/',
  layout:
    'A*.hea and A*.mat in one folder (WFDB_CPSC2018), or in the parts g1 to g7 of training/cpsc_2018 as the Challenge of 2021 has them',
  splitRule: 'by hash of the record id; the set names no patients',
  differences: [
    ...snomedDifferences,
    'Left bundle branch block is Conduction Delay; the public loader maps it to nothing and draws a random class.',
    'Atrial fibrillation is A. Fib/Aflutter alone and ventricular ectopics are Other; the public loader adds Conduction Delay.',
  ],
  locations: ['WFDB_CPSC2018', 'WFDB_CPSC', 'training/cpsc_2018', 'cpsc_2018', '.'].map(folder => ({
    folder,
    marker: /^A\d+\.hea$/,
  })),
  rows: folder => challengeRows(folder, { names: /^A\d+$/ }),
})

import { defineDataset } from '../dataset.ts'
import { challengeRows } from './challenge-rows.ts'
import { ecgClasses } from './snomed-classes.ts'

const hugeValues = 'holds exceptionally large values'

/** What the ECG sets share. */
const ecgSet = {
  domain: 'ecg',
  cue: '12-lead ECG',
  labels: ecgClasses,
  answerMode: 'multi',
  spatialTruth: 'none',
} as const

const snomedDifferences = [
  'One SNOMED CT table serves the four ECG sets; the public loader has four that conflict.',
  'The set of classes is kept; the public loader draws one at random, and one of all seven where there is none.',
  'Recordings of any length are used, cut to 10 s; the public loader keeps those of exactly 5,000 samples.',
]

/** Georgia 12-lead ECG Challenge set: 10,344 recordings of 5 to 10 s at 500 Hz. */
export const georgia = defineDataset({
  ...ecgSet,
  id: 'georgia',
  title: 'Georgia 12-lead ECG Challenge',
  access: 'open',
  licence: 'CC BY 4.0',
  url: 'https://physionet.org/content/challenge-2021/',
  layout: 'WFDB_Ga/E*.hea and E*.mat in one folder',
  splitRule: 'by hash of the record id; the set names no patients',
  differences: [
    ...snomedDifferences,
    'Atrial fibrillation and flutter are A. Fib/Aflutter; a slip in letter case loses them in the public loader.',
  ],
  locations: [
    { folder: 'WFDB_Ga', marker: '*.hea' },
    { folder: '.', marker: '*.hea' },
  ],
  rows: folder =>
    challengeRows(folder, {
      excluded: Object.fromEntries(
        ['E04603', 'E06072', 'E06909', 'E07675', 'E07941', 'E08321'].map(record => [record, hugeValues]),
      ),
    }),
})

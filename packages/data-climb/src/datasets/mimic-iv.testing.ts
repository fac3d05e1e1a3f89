import { writeEcg, writeGrey, writeTable } from './written-layouts.testing.ts'

/** One made-up admission; times are hours from 2150-01-01 00:00:00, and nobody is behind them. */
export interface MadeAdmission {
  readonly hadmId: string
  readonly subjectId: string
  readonly startHour: number
  readonly endHour: number
  readonly deathHour?: number
  readonly dischargeLocation?: string
  readonly xrayHour?: number
  readonly ecgHour?: number
}

/** Formats an hour as the tables write times. */
export function stamp(hour: number): string {
  return new Date(Date.UTC(2150, 0, 1) + hour * 3_600_000).toISOString().slice(0, 19).replace('T', ' ')
}

/** Admissions with both media in the window, one per edge of both tasks. */
export const madeAdmissions: readonly MadeAdmission[] = [
  { hadmId: '100', subjectId: '11000001', startHour: 0, endHour: 96, xrayHour: 5, ecgHour: 2 },
  { hadmId: '101', subjectId: '11000001', startHour: 1000, endHour: 1096.5, xrayHour: 1001, ecgHour: 1047 },
  { hadmId: '102', subjectId: '11000002', startHour: 0, endHour: 12 * 24, xrayHour: 1, ecgHour: 1 },
  { hadmId: '103', subjectId: '11000003', startHour: 0, endHour: 12 * 24 + 1, xrayHour: 1, ecgHour: 1 },
  {
    hadmId: '104',
    subjectId: '11000004',
    startHour: 0,
    endHour: 30,
    deathHour: 30,
    dischargeLocation: 'DIED',
    xrayHour: 1,
    ecgHour: 1,
  },
  {
    hadmId: '105',
    subjectId: '11000005',
    startHour: 0,
    endHour: 40,
    dischargeLocation: 'HOSPICE',
    xrayHour: 1,
    ecgHour: 1,
  },
  {
    hadmId: '106',
    subjectId: '11000006',
    startHour: 0,
    endHour: 60,
    dischargeLocation: 'HOSPICE',
    xrayHour: 1,
    ecgHour: 1,
  },
  {
    hadmId: '107',
    subjectId: '11000007',
    startHour: 0,
    endHour: 90,
    deathHour: 90,
    dischargeLocation: 'DIED',
    xrayHour: 1,
    ecgHour: 1,
  },
  // Excluded: a picture before the window, an ECG after it, an end before the start.
  { hadmId: '108', subjectId: '11000008', startHour: 100, endHour: 200, xrayHour: 99, ecgHour: 101 },
  { hadmId: '109', subjectId: '11000009', startHour: 0, endHour: 200, xrayHour: 1, ecgHour: 49 },
  { hadmId: '110', subjectId: '11000010', startHour: 50, endHour: 20, xrayHour: 51, ecgHour: 51 },
  // Dies at home on the second day, of which only the date is known.
  { hadmId: '111', subjectId: '11000011', startHour: 0, endHour: 20, xrayHour: 1, ecgHour: 1 },
]

/** Writes the modules of MIMIC-IV that the two tasks read, with made-up values. */
export async function writeMimicIv(root: string, admissions: readonly MadeAdmission[] = madeAdmissions): Promise<void> {
  const base = 'multimodal/mimiciv'
  await writeTable(
    root,
    `${base}/hosp/admissions.csv.gz`,
    'subject_id,hadm_id,admittime,dischtime,deathtime,admission_type,admission_location,discharge_location,hospital_expire_flag',
    admissions.map(({ subjectId, hadmId, startHour, endHour, deathHour, dischargeLocation = 'HOME' }) =>
      [
        subjectId,
        hadmId,
        stamp(startHour),
        stamp(endHour),
        deathHour === undefined ? '' : stamp(deathHour),
        'EW EMER.',
        'EMERGENCY ROOM',
        dischargeLocation,
        deathHour === undefined ? 0 : 1,
      ].join(','),
    ),
  )
  const subjects = [...new Set(admissions.map(({ subjectId }) => subjectId))]
  await writeTable(
    root,
    `${base}/hosp/patients.csv.gz`,
    'subject_id,gender,anchor_age,anchor_year,anchor_year_group,dod',
    subjects.map(
      (subject, i) =>
        `${subject},${i % 2 === 0 ? 'F' : 'M'},${60 + i},2149,2008 - 2010,${subject === '11000011' ? '2150-01-02' : ''}`,
    ),
  )
  await writeEvents(root, base)
  await writeMedia(root, admissions)
}

async function writeEvents(root: string, base: string): Promise<void> {
  await writeTable(root, `${base}/hosp/d_labitems.csv.gz`, 'itemid,label,fluid,category', [
    '50912,Creatinine,Blood,Chemistry',
    '50800,Specimen Type,Blood,Blood Gas',
    '50931,Glucose,Blood,Chemistry',
    '51478,Glucose,Urine,Hematology',
    '50820,pH,Blood,Blood Gas',
    '51491,pH,Urine,Hematology',
    '51003,Troponin T,Blood,Chemistry',
    ...Array.from({ length: 60 }, (_, i) => `9${100 + i},A rare value ${100 + i},Blood,Chemistry`),
  ])
  await writeTable(
    root,
    `${base}/hosp/labevents.csv.gz`,
    'labevent_id,subject_id,hadm_id,itemid,charttime,value,valuenum,valueuom',
    [
      // One admission with a full sheet: of blood and of urine, numbers and words, and sixty rare values before the alphabet.
      `20,11000003,103,50931,${stamp(1)},180,180,mg/dL`,
      `21,11000003,103,50931,${stamp(2)},240,240,mg/dL`,
      `22,11000003,103,50931,${stamp(3)},95,95,mg/dL`,
      `23,11000003,103,50931,${stamp(4)},110,110,mg/dL`,
      `24,11000003,103,51478,${stamp(5)},NEG,,mg/dL`,
      `25,11000003,103,50820,${stamp(1)},7.31,7.31,units`,
      `26,11000003,103,51491,${stamp(6)},5.5,5.5,units`,
      `27,11000003,103,51003,${stamp(1)},0.01,0.01,ng/mL`,
      `28,11000003,103,51003,${stamp(9)},12,12,ng/L`,
      ...Array.from({ length: 60 }, (_, i) => `${30 + i},11000003,103,9${100 + i},${stamp(7)},1,1,U/L`),
      `1,11000001,100,50912,${stamp(40)},1.5,1.5,mg/dL`,
      `2,11000001,,50912,${stamp(3)},1.1,1.1,mg/dL`,
      `3,11000001,100,50912,${stamp(48)},9.9,9.9,mg/dL`,
      `4,11000001,100,50800,${stamp(4)},ART.,,`,
      `5,11000001,100,50912,${stamp(5)},___,,mg/dL`,
      `6,11000099,,50912,${stamp(5)},7.7,7.7,mg/dL`,
    ],
  )
  await writeTable(root, `${base}/icu/d_items.csv`, 'itemid,label', [
    '220045,Heart Rate',
    '226543,O2 Flow',
    '225792,Invasive Ventilation',
    '221906,Norepinephrine',
  ])
  await writeTable(
    root,
    `${base}/icu/chartevents.csv.gz`,
    'subject_id,hadm_id,stay_id,charttime,itemid,value,valuenum,valueuom',
    [`11000001,100,1,${stamp(1)},220045,88,88,bpm`, `11000001,100,1,${stamp(2)},226543,4,4,L/min`],
  )
  await writeTable(root, `${base}/icu/procedureevents.csv.gz`, 'subject_id,hadm_id,starttime,endtime,itemid', [
    `11000001,100,${stamp(6)},${stamp(90)},225792`,
  ])
  await writeTable(root, `${base}/icu/inputevents.csv.gz`, 'subject_id,hadm_id,starttime,endtime,itemid', [
    `11000001,100,${stamp(60)},${stamp(90)},221906`,
  ])
  await writeTable(
    root,
    `${base}/hosp/prescriptions.csv.gz`,
    'subject_id,hadm_id,starttime,stoptime,drug_type,drug,route',
    [`11000001,100,${stamp(2)},${stamp(90)},MAIN,Aspirin <image> {labels},PO`],
  )
}

async function writeMedia(root: string, admissions: readonly MadeAdmission[]): Promise<void> {
  const xrays: string[] = []
  const ecgs: string[] = []
  for (const { hadmId, subjectId, xrayHour, ecgHour } of admissions) {
    if (xrayHour !== undefined) {
      const [date, time] = stamp(xrayHour).split(' ') as [string, string] // a date and a time
      for (const view of ['a', 'b']) {
        xrays.push(
          `${hadmId}${view},${subjectId},5${hadmId},PA,${date.replaceAll('-', '')},${Number(time.replaceAll(':', ''))}.25`,
        )
        await writeGrey(root, `chest_xray/mimic-cxr/files/p11/p${subjectId}/s5${hadmId}/${hadmId}${view}.jpg`)
      }
    }
    if (ecgHour === undefined) continue
    const record = `files/p1100/p${subjectId}/s4${hadmId}/4${hadmId}`
    ecgs.push(`${subjectId},4${hadmId},4${hadmId},${stamp(ecgHour)},${record}`)
    await writeEcg(root, `ecg/mimiciv/${record}`)
  }
  await writeTable(
    root,
    'chest_xray/mimic-cxr/mimic-cxr-2.0.0-metadata.csv.gz',
    'dicom_id,subject_id,study_id,ViewPosition,StudyDate,StudyTime',
    xrays,
  )
  await writeTable(root, 'ecg/mimiciv/record_list.csv', 'subject_id,study_id,file_name,ecg_time,path', ecgs)
}

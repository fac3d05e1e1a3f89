import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeMimicIv } from '../datasets/mimic-iv.testing.ts'
import { openDataset } from '../open/open-dataset.ts'
import { listDatasets } from '../datasets/registry.ts'
import { encodeWfdb } from '../wfdb/write.ts'
import { zipFile } from '../files/xlsx.testing.ts'
import { tarGzOf, zipOf } from './archive.testing.ts'
import { downloadDataset } from './download-dataset.ts'
import { publicHosts, type Hosts } from './listings.ts'
import { downloadSource } from './sources.ts'

type Files = Readonly<Record<string, string | Uint8Array>>

/** What a source gives, by URL path, and what opening the download then counts. */
interface SourceCase {
  readonly files: () => Files | Promise<Files>
  readonly kept: number
  readonly parts?: readonly string[]
  /** Media of the first sample, relative to the root. */
  readonly first: string
  /** The beginning of what the report says is lacking. */
  readonly lacking?: string
}

const sha256 = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex')

/** A PhysioNet project: its files below `/files/<project>/<version>/` and their checksums. */
function physionet(project: string, files: Files): Files {
  const sums = Object.entries(files).map(([name, content]) => `${sha256(content)} ${name}\n`)
  const all = Object.entries({ 'SHA256SUMS.txt': sums.join(''), ...files })
  return Object.fromEntries(all.map(([name, content]) => [`/files/${project}/${name}`, content]))
}

const kaggle = (slug: string, files: Files) => ({ [`/api/v1/datasets/download/${slug}`]: zipOf(entries(files)) })
const competition = (slug: string, files: Files) => ({
  [`/api/v1/competitions/data/download-all/${slug}`]: zipOf(entries(files)),
})
const github = (repository: string, files: Files) => ({
  [`/${repository}/tar.gz/main`]: tarGzOf(
    entries(files).map(({ path: name, data }) => ({ path: `${path.basename(repository)}-main/${name}`, data })),
  ),
})

function entries(files: Files): { path: string; data: string | Uint8Array }[] {
  return Object.entries(files).map(([name, data]) => ({ path: name, data }))
}

/** Series of TCIA, named as its listing names them. */
function tcia(collection: string, series: readonly { subject: string; uid: string; file: string }[]): Files {
  const listed = series.map(({ subject, uid }) => ({
    Collection: collection,
    PatientID: subject,
    StudyInstanceUID: `${uid}.0`,
    SeriesInstanceUID: uid,
    FileSize: 99,
  }))
  const archives = series.map(({ uid, file }) => [
    `/nbia-api/services/v1/getImage?SeriesInstanceUID=${uid}`,
    zipOf([
      { path: 'LICENSE', data: 'terms' },
      { path: file, data: `DICOM ${uid}` },
    ]),
  ])
  return {
    [`/nbia-api/services/v1/getSeries?Collection=${collection}`]: JSON.stringify(listed),
    ...Object.fromEntries(archives),
  }
}

/** A record of the Challenge: a header with codes, and signals in a file whose first 24 bytes are a MATLAB header. */
function challengeRecord(name: string, dx: string): Files {
  const hea = `${path.basename(name)} 1 500 10\n${path.basename(name)}.mat 16x1+24 1000/mV 16 0 0 0 0 I\n# Dx: ${dx}\n`
  return { [`${name}.hea`]: hea, [`${name}.mat`]: new Uint8Array(44) }
}

function nativeRecord(name: string): Files {
  const signals = [{ name: 'I', gain: 1000, digital: new Int16Array(10) }]
  const { hea, dat } = encodeWfdb({ record: path.basename(name), samplingRateHz: 500, signals })
  return { [`${name}.hea`]: hea, [`${name}.dat`]: dat }
}

const sinus = '426783006'
const georgiaFiles = {
  'training/georgia/g1/index.html': 'x',
  ...challengeRecord('training/georgia/g1/E00001', sinus),
  ...challengeRecord('training/georgia/g2/E01001', sinus),
  ...challengeRecord('training/georgia/g11/E10001', sinus),
  ...challengeRecord('training/cpsc_2018/g1/A0001', sinus),
  ...challengeRecord('training/cpsc_2018_extra/g1/Q0001', sinus),
  'LICENSE.txt': 'terms',
}

const chexpert =
  'Atelectasis,Cardiomegaly,Consolidation,Edema,Enlarged Cardiomediastinum,Fracture,Lung Lesion,Lung Opacity,No Finding,Pleural Effusion,Pleural Other,Pneumonia,Pneumothorax,Support Devices'
const film = (subject: string, uid: string) => `${subject}/${uid}.0/${uid}/000000.dcm`

/** A row of a table of CBIS-DDSM; the last cell ends in a line break, as some do. */
const filmRow = (subject: string, uid: string, roi: string) =>
  `P_00001,3,LEFT,CC,1,mass,x,y,4,MALIGNANT,4,${film(subject, uid)},${film(`${subject}_1`, roi)},"${film(`${subject}_1`, roi)}\n"\n`

const cases: Readonly<Record<string, SourceCase>> = {
  ptb_xl: {
    files: () =>
      physionet('ptb-xl/1.0.3', {
        'ptbxl_database.csv': `ecg_id,patient_id,scp_codes,strat_fold,filename_hr\n1,7,"{'NORM': 100.0}",3,records500/00000/00001_hr\n`,
        'scp_statements.csv': 'x\n',
        ...nativeRecord('records500/00000/00001_hr'),
        ...nativeRecord('records100/00000/00001_lr'),
      }),
    kept: 1,
    first: 'records500/00000/00001_hr.hea',
  },
  chapman_shaoxing: {
    files: () =>
      physionet('ecg-arrhythmia/1.0.0', {
        'ConditionNames_SNOMED-CT.csv': 'x\n',
        'WFDBRecords/01/010/RECORDS': 'JS00001\n',
        ...challengeRecord('WFDBRecords/01/010/JS00001', sinus),
        ...challengeRecord('WFDBRecords/46/460/JS45551', '164889003'),
      }),
    kept: 2,
    first: 'WFDBRecords/01/010/JS00001.hea',
  },
  georgia: {
    files: () => physionet('challenge-2021/1.0.3', georgiaFiles),
    kept: 3,
    parts: ['g1', 'g2', 'g11'],
    first: 'g1/E00001.hea',
  },
  cpsc: { files: () => physionet('challenge-2021/1.0.3', georgiaFiles), kept: 1, parts: ['g1'], first: 'g1/A0001.hea' },
  mimic_cxr: {
    files: () =>
      physionet('mimic-cxr-jpg/2.1.0', {
        'mimic-cxr-2.0.0-split.csv.gz': gzip('dicom_id,study_id,subject_id,split\nd1,5,10000032,train\n'),
        'mimic-cxr-2.0.0-chexpert.csv.gz': gzip(`subject_id,study_id,${chexpert}\n10000032,5,1.0${','.repeat(13)}\n`),
        'files/p10/p10000032/s5/d1.jpg': 'x',
      }),
    kept: 1,
    first: 'files/p10/p10000032/s5/d1.jpg',
  },
  vindr_cxr: {
    files: () =>
      physionet('vindr-cxr/1.0.0', {
        'annotations/image_labels_train.csv': 'image_id,rad_id,COPD,No finding\na,R1,1,0\n',
        'annotations/image_labels_test.csv': 'image_id,COPD,No finding\nb,0,1\n',
        'train/a.dicom': 'x',
        'test/b.dicom': 'y',
      }),
    kept: 2,
    first: 'test/b.dicom',
  },
  covid_19: {
    files: () =>
      kaggle('darshan1504/covid19-detection-xray-dataset', {
        'NonAugmentedTrain/Normal/1.jpg': 'x',
        'TrainData/Normal/1.jpg': 'x',
        'ValData/COVID-19/2.jpg': 'y',
      }),
    kept: 2,
    first: 'TrainData/Normal/1.jpg',
  },
  coronahack: {
    files: () =>
      kaggle('praveengovi/coronahack-chest-xraydataset', {
        'Chest_xray_Corona_Metadata.csv':
          ',X_ray_image_name,Label,Dataset_type,Label_2_Virus_category,Label_1_Virus_category\n0,a.jpeg,Normal,TRAIN,,\n',
        'Coronahack-Chest-XRay-Dataset/Coronahack-Chest-XRay-Dataset/train/a.jpeg': 'x',
      }),
    kept: 1,
    first: 'Coronahack-Chest-XRay-Dataset/Coronahack-Chest-XRay-Dataset/train/a.jpeg',
  },
  vindr_mammo: {
    files: () =>
      physionet('vindr-mammo/1.0.0', {
        'breast-level_annotations.csv': 'study_id,image_id,breast_birads,split\ns,i,BI-RADS 2,training\n',
        'images/s/i.dicom': 'x',
      }),
    kept: 1,
    first: 'images/s/i.dicom',
  },
  cbis_ddsm: {
    files: () => {
      const header =
        'patient_id,breast_density,left or right breast,image view,abnormality id,abnormality type,a,b,assessment,pathology,subtlety,image file path,cropped image file path,ROI mask file path\n'
      const tables = [
        'mass_case_description_train_set',
        'mass_case_description_test_set',
        'calc_case_description_train_set',
        'calc_case_description_test_set',
      ]
      return {
        ...tcia('CBIS-DDSM', [
          { subject: 'Mass-Training_P_00001_LEFT_CC', uid: '1.2.3', file: '1-1.dcm' },
          { subject: 'Mass-Training_P_00001_LEFT_CC_1', uid: '1.2.4', file: '1-2.dcm' },
          { subject: 'Calc-Training_P_00005_RIGHT_CC', uid: '1.2.5', file: '00000001.dcm' },
        ]),
        ...Object.fromEntries(tables.map(name => [`/wp-content/uploads/${name}.csv`, header])),
        '/wp-content/uploads/mass_case_description_train_set.csv':
          header + filmRow('Mass-Training_P_00001_LEFT_CC', '1.2.3', '1.2.4'),
        '/wp-content/uploads/calc_case_description_train_set.csv':
          header + filmRow('Calc-Training_P_00005_RIGHT_CC', '1.2.5', '1.2.6'),
      }
    },
    kept: 2,
    first: 'CBIS-DDSM/Calc-Training_P_00005_RIGHT_CC/1.2.5.0/1.2.5/00000001.dcm',
  },
  cmmd: {
    files: () => ({
      ...tcia('CMMD', [
        { subject: 'D1-0001', uid: '1.2.3', file: '1-1.dcm' },
        { subject: 'D2-0002', uid: '1.2.4', file: '1-1.dcm' },
      ]),
      '/wp-content/uploads/CMMD_clinicaldata_revision.xlsx': sheetOf([
        ['ID1', 'LeftRight', 'Age', 'number', 'abnormality', 'classification', 'subtype'],
        ['D1-0001', 'R', '44', '2', 'mass', 'Benign', ''],
        ['D2-0002', 'L', '50', '2', 'both', 'Malignant', 'Luminal A'],
      ]),
    }),
    kept: 2,
    first: 'CMMD/D1-0001/1.2.3.0/1.2.3/1-1.dcm',
  },
  isic_2020: {
    files: () =>
      competition('siim-isic-melanoma-classification', {
        'train.csv':
          'image_name,patient_id,sex,age_approx,anatom_site_general_challenge,diagnosis,benign_malignant,target\nISIC_1,IP_1,male,45,torso,nevus,benign,0\n',
        'train/ISIC_1.dcm': 'd',
        'jpeg/train/ISIC_1.jpg': 'x',
        'jpeg/test/ISIC_2.jpg': 'y',
      }),
    kept: 1,
    first: 'jpeg/train/ISIC_1.jpg',
  },
  aptos_2019: {
    files: () =>
      competition('aptos2019-blindness-detection', {
        'train.csv': 'id_code,diagnosis\na,2\n',
        'train_images/a.png': 'x',
        'test_images/b.png': 'y',
      }),
    kept: 1,
    first: 'train_images/a.png',
  },
  kits23: {
    files: () => ({
      ...github('neheller/kits23', {
        'README.md': 'x',
        'dataset/kits23.json': JSON.stringify([
          { case_id: 'case_00000', malignant: true },
          { case_id: 'case_00588', malignant: false },
        ]),
        'dataset/case_00000/segmentation.nii.gz': 'm',
        'dataset/case_00588/segmentation.nii.gz': 'm',
      }),
      ...Object.fromEntries(
        Array.from({ length: 589 }, (_, i) => [`/master_${String(i).padStart(5, '0')}.nii.gz`, `scan ${i}`]),
      ),
    }),
    kept: 2,
    first: 'dataset/case_00000/imaging.nii.gz',
  },
  hemorrhage: {
    files: () =>
      kaggle('vbookshelf/computed-tomography-ct-images', {
        'hemorrhage_diagnosis.csv': 'PatientNumber,SliceNumber,No_Hemorrhage\n49,1,1\n',
        'Patients_CT/049/brain/1.jpg': 'x',
        'Patients_CT/049/bone/1.jpg': 'y',
      }),
    kept: 1,
    first: 'Patients_CT/049/brain/1.jpg',
  },
  rspect: {
    files: () =>
      competition('rsna-str-pulmonary-embolism-detection', {
        'train.csv': 'StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID,pe_present_on_image,chronic_pe\n1,2,3,1,0\n',
        'train/1/2/3.dcm': 'x',
      }),
    kept: 1,
    first: 'train/1/2/3.dcm',
  },
  busi: {
    files: () =>
      kaggle('aryashah2k/breast-ultrasound-images-dataset', {
        'Dataset_BUSI_with_GT/normal/normal (1).png': 'n',
        'Dataset_BUSI_with_GT/normal/normal (1)_mask.png': 'm',
        'Dataset_BUSI_with_GT/benign/benign (1).png': 'x',
        'Dataset_BUSI_with_GT/benign/benign (1)_mask.png': 'm',
      }),
    kept: 2,
    first: 'Dataset_BUSI_with_GT/benign/benign (1).png',
  },
  covid_blues: {
    files: () =>
      github('NinaWie/COVID-BLUES', {
        'clinical_variables.csv': 'patient_id,cov_test\n11,1\n',
        'lus_videos/patient_11_L1.mp4': 'x',
      }),
    kept: 1,
    first: 'lus_videos/patient_11_L1.mp4',
  },
  covid_us: {
    // The videos are not in the repository; they are put where its notebooks put them.
    files: () => github('nrc-cnrc/COVID-US', { 'utils/video_metadata.csv': 'id\n1_butterfly_covid\n' }),
    kept: 1,
    first: 'data/video/original/1_butterfly_covid.mp4',
    lacking: 'The repository holds lists and notebooks, but no video',
  },
  brain_tumor: {
    files: () =>
      kaggle('sartajbhuvaji/brain-tumor-classification-mri', {
        'Training/no_tumor/1.jpg': 'x',
        'Testing/glioma_tumor/image(1).jpg': 'y',
      }),
    kept: 2,
    first: 'Testing/glioma_tumor/image(1).jpg',
  },
  brain_tumor_2: {
    files: () =>
      kaggle('navoneel/brain-mri-images-for-brain-tumor-detection', {
        'yes/Y1.jpg': 'x',
        'no/1 no.jpeg': 'y',
        'brain_tumor_dataset/yes/Y1.jpg': 'x',
        'brain_tumor_dataset/no/1 no.jpeg': 'y',
      }),
    kept: 2,
    first: 'no/1 no.jpeg',
  },
  mimic_iv_los: { files: mimicIv, kept: 11, first: '', lacking: 'Chest X-rays and ECGs are projects of their own' },
  mimic_iv_48ihm: { files: mimicIv, kept: 11, first: '', lacking: 'Chest X-rays and ECGs are projects of their own' },
}

function gzip(text: string): Uint8Array {
  return gzipSync(text)
}

/** The hospital and intensive-care modules as PhysioNet has them. */
async function mimicIv(): Promise<Files> {
  const made = path.join(folder, 'made-mimic')
  await writeMimicIv(made)
  const base = path.join(made, 'multimodal/mimiciv')
  const files: Record<string, Uint8Array> = { 'note.txt': Buffer.from('not needed') }
  for (const part of ['hosp', 'icu'])
    for (const name of await readdir(path.join(base, part)))
      files[`${part}/${name}`] = await readFile(path.join(base, part, name))
  return physionet('mimiciv/3.1', files)
}

/** The cells of one row of a sheet. */
const cellsOf = (row: readonly string[], r: number) =>
  row
    .map((text, c) => `<c r="${String.fromCharCode(65 + c)}${r + 1}" t="inlineStr"><is><t>${text}</t></is></c>`)
    .join('')

/** A workbook with one sheet of inline texts. */
function sheetOf(rows: readonly (readonly string[])[]): Uint8Array {
  const body = rows.map((row, r) => `<row r="${r + 1}">${cellsOf(row, r)}</row>`).join('')
  return zipFile({ 'xl/worksheets/sheet1.xml': `<worksheet><sheetData>${body}</sheetData></worksheet>` })
}

let folder = ''
let server: Server
let hosts: Hosts
let served: Files = {}
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-layouts-'))
  server = createServer((request, response) => {
    const body = served[decodeURIComponent(request.url ?? '')]
    if (body === undefined) response.writeHead(404).end()
    else response.writeHead(200, { 'content-length': Buffer.byteLength(body) }).end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // listens on TCP
  hosts = Object.fromEntries(Object.keys(publicHosts).map(name => [name, url])) as Hosts // every host
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await rm(folder, { recursive: true, force: true })
})

const secret = async () => 'secret'
const quick = { pauseMs: 1, timeoutMs: 5000, attempts: 2 }

async function downloaded(id: string) {
  served = await cases[id]!.files()
  const root = path.join(folder, id)
  const report = await downloadDataset(id, { root, hosts, secret, parallel: 8, ...quick })
  return { root, report }
}

test('every dataset that can be fetched has a row', () => {
  const fetchable = listDatasets().filter(({ id }) => (downloadSource(id)?.type ?? 'manual') !== 'manual')
  expect(Object.keys(cases).toSorted()).toEqual(fetchable.map(({ id }) => id).toSorted())
  expect(fetchable.length).toBe(23)
})

describe('a download opens', () => {
  test.for(Object.entries(cases))('%s', async ([id, { kept, first, parts = [], lacking }]) => {
    const { root, report } = await downloaded(id)
    expect(report.lacking ?? '').toContain(lacking ?? '')
    expect(report.lacking === undefined).toBe(lacking === undefined)
    if (id === 'covid_us') {
      await mkdir(path.join(root, path.dirname(first)), { recursive: true })
      await rename(path.join(root, 'utils/video_metadata.csv'), path.join(root, first))
    }
    const opened = await openDataset(id, { root })
    expect(opened.samples.length).toBe(kept)
    expect(opened.parts).toEqual(parts)
    expect(opened.samples[0]?.files.map(file => path.relative(root, file)).slice(0, 1)).toEqual(
      first === '' ? [] : [first],
    )
  })

  test('with its masks, where the source has them', async () => {
    const { root } = await downloaded('cbis_ddsm')
    const { samples } = await openDataset('cbis_ddsm', { root })
    expect(samples.map(sample => sample.masks !== undefined)).toEqual([false, true])
  })

  test('a part alone is named as a part', async () => {
    const { root } = await downloaded('georgia')
    const part = await openDataset('georgia', { root: path.join(root, 'g2') })
    expect([part.samples.length, part.parts]).toEqual([1, ['g2']])
  })

  test('lies where wget puts it, below its host', async () => {
    const { root } = await downloaded('ptb_xl')
    const deep = path.join(folder, 'wget/physionet.org/files/ptb-xl')
    await mkdir(deep, { recursive: true })
    await rename(root, path.join(deep, '1.0.3'))
    expect((await openDataset('ptb_xl', { root: path.join(folder, 'wget') })).samples.length).toBe(1)
  })

  test('nothing of another set of the same project comes along', async () => {
    const { root } = await downloaded('cpsc')
    expect((await readdir(root, { recursive: true })).filter(name => /E\d|Q\d/.test(name))).toEqual([])
  })
})

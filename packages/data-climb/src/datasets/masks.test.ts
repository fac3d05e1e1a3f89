import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isHintedError } from '@qoq-med/errors'
import { encodeDicom } from '../dicom/write-dicom.ts'
import { locateFindings } from '../sample/locate-findings.ts'
import { openDataset } from '../open/open-dataset.ts'
import type { PixelMask, Sample } from '../sample/sample.ts'
import { realFile, whySkipped } from '../shared.testing.ts'
import { verifyDataset } from '../verify/verify-dataset.ts'
import { encodeNifti } from '../volume/write-nifti.ts'
import { writeGrey, writeLayoutFile, writeTable } from './written-layouts.testing.ts'

let root: string
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'qoq-masks-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

const areaOf = (mask: PixelMask) => mask.data.reduce((sum, inside) => sum + inside, 0)

/** Opens a written dataset, which must be clean, and gives its samples by key. */
async function samplesOf(id: string): Promise<ReadonlyMap<string, Sample>> {
  expect(await verifyDataset(id, { root: path.join(root, id) })).toMatchObject({ missing: [], undecodable: [] })
  const { samples } = await openDataset(id, { root: path.join(root, id) })
  return new Map(samples.map(sample => [sample.id.slice(id.length + 1), sample]))
}

/** A DICOM picture of one level, of which a region may have another one. */
function film(width: number, height: number, region?: { x1: number; y1: number; x2: number; y2: number }): Uint8Array {
  const pixels = new Uint16Array(width * height)
  if (region)
    for (let y = region.y1; y < region.y2; y++) pixels.fill(65_535, y * width + region.x1, y * width + region.x2)
  return encodeDicom({ rows: height, columns: width, pixels, bitsStored: 16, modality: 'MG', sopInstanceUid: '2.25.1' })
}

/** One abnormality of one picture of CBIS-DDSM; its last cell ends in a line break. */
const abnormalityRow = (abnormality: number, assessment: number) =>
  `P_1,3,LEFT,CC,${abnormality},mass,OVAL,SHARP,${assessment},BENIGN,4,S/1.1/1.2/000000.dcm,S_${abnormality}/2.1/2.${abnormality}/000000.dcm,"S_${abnormality}/2.1/2.${abnormality}/000001.dcm\n"`

/** A mask of nine pixels. */
const squareAt = (x1: number) => ({
  width: 30,
  height: 20,
  level: 0,
  region: { x1, y1: 2, x2: x1 + 3, y2: 5, level: 255 },
})

describe('masks and boxes on written layouts', () => {
  test('cbis_ddsm: the larger file of each region series, all abnormalities of a picture joined', async () => {
    const folder = path.join(root, 'cbis_ddsm')
    const header =
      'patient_id,breast_density,left or right breast,image view,abnormality id,abnormality type,mass shape,mass margins,assessment,pathology,subtlety,image file path,cropped image file path,ROI mask file path'
    await writeTable(folder, 'csv/mass_case_description_train_set.csv', header, [
      abnormalityRow(1, 2),
      abnormalityRow(2, 4),
    ])
    const locations = ['1.2,./CBIS-DDSM/S/full', '2.1,./CBIS-DDSM/S_1/roi', '2.2,.\\CBIS-DDSM\\S_2\\roi']
    await writeTable(folder, 'metadata.csv', 'Series UID,File Location', locations)
    await writeLayoutFile(folder, 'CBIS-DDSM/S/full/1-1.dcm', film(40, 60, { x1: 0, y1: 0, x2: 40, y2: 30 }))
    // The mask is the first file of one series and the second of the other, as in part of the collection.
    await writeLayoutFile(folder, 'CBIS-DDSM/S_1/roi/1-1.dcm', film(40, 60, { x1: 2, y1: 3, x2: 8, y2: 9 }))
    await writeLayoutFile(folder, 'CBIS-DDSM/S_1/roi/1-2.dcm', film(6, 6))
    await writeLayoutFile(folder, 'CBIS-DDSM/S_2/roi/1-1.dcm', film(5, 5))
    await writeLayoutFile(folder, 'CBIS-DDSM/S_2/roi/1-2.dcm', film(40, 60, { x1: 30, y1: 50, x2: 35, y2: 55 }))
    const sample = (await samplesOf('cbis_ddsm')).get('S')!
    expect(sample.answer).toEqual(['BI-RADS 4'])
    expect(areaOf(await sample.mask!())).toBe(36 + 25)
    const located = await locateFindings(sample)
    expect(located.boxes).toEqual([
      { x1: 2, y1: 3, x2: 8, y2: 9 },
      { x1: 30, y1: 50, x2: 35, y2: 55 },
    ])
    expect(located.reference()).toContain('There is an abnormality.')
    expect(located.reference()).toContain('{"bbox_2d": [2, 3, 8, 9], "label": "BI-RADS 4"}')
  })

  test('ham10000: the lesion masks of the Dataverse archive', async () => {
    const folder = path.join(root, 'ham10000')
    const header = 'image,MEL,NV,BCC,AKIEC,BKL,DF,VASC'
    await writeTable(folder, 'ISIC2018_Task3_Training_GroundTruth.csv', header, [
      'I1,1.0,0,0,0,0,0,0',
      'I2,0,0,0,0,0,1.0,0',
    ])
    for (const image of ['I1', 'I2'])
      await writeGrey(folder, `ISIC2018_Task3_Training_Input/${image}.jpg`, { width: 20, height: 10 })
    const region = { x1: 4, y1: 2, x2: 9, y2: 8, level: 255 }
    await writeGrey(folder, 'HAM10000_segmentations_lesion_tschandl/I1_segmentation.png', {
      width: 20,
      height: 10,
      level: 0,
      region,
    })
    const samples = await samplesOf('ham10000')
    expect(samples.get('I2')?.mask).toBeUndefined()
    expect((await locateFindings(samples.get('I1')!)).boxes).toEqual([{ x1: 4, y1: 2, x2: 9, y2: 8 }])
    const untouched = samples.get('I2')!
    expect(await locateFindings(untouched)).toBe(untouched)
  })

  test('kits23: the tumor in each of the four frames, slices first and head last as the affine says', async () => {
    const folder = path.join(root, 'kits23')
    await writeLayoutFile(folder, 'dataset/kits23.json', JSON.stringify([{ case_id: 'case_00001', malignant: true }]))
    // Stored axes: feet, back, left; tumor (2) in slices 4 to 7 counted from the head, kidney (1) around it.
    const shape = [8, 6, 10]
    const codes = new Uint8Array(480)
    for (let z = 0; z < 8; z++)
      for (let y = 0; y < 6; y++)
        for (let x = 0; x < 10; x++) codes[z + 8 * (y + 6 * x)] = x < 4 && y < 3 ? (z >= 4 && x < 2 ? 2 : 1) : 0
    const common = {
      shape,
      slope: 1,
      intercept: 0,
      spacing: [5, 1, 1],
      affine: [0, 0, -1, 0, 0, -1, 0, 0, -5, 0, 0, 0],
      warnings: [],
    }
    const scan = { ...common, dtype: 'int16', voxels: Int16Array.from(codes, code => code * 100 + 40) } as const
    await writeLayoutFile(folder, 'dataset/case_00001/imaging.nii.gz', gzipSync(encodeNifti(scan)))
    await writeLayoutFile(
      folder,
      'dataset/case_00001/segmentation.nii.gz',
      gzipSync(encodeNifti({ ...common, dtype: 'uint8', voxels: codes })),
    )
    const sample = (await samplesOf('kits23')).get('case_00001')!
    // Frames run from the feet to the head: the last two of the scan's four parts are the first two here.
    expect((await sample.masks!()).map(areaOf)).toEqual([6, 6, 0, 0])
    expect((await locateFindings(sample)).boxes).toEqual([
      { x1: 0, y1: 0, x2: 2, y2: 3 },
      { x1: 0, y1: 0, x2: 2, y2: 3, image: 1 },
    ])
    const frames = await sample.images!()
    // The mask lies on the brightest pixels of its frame.
    expect([frames[0]!.data[0], frames[0]!.data[3 * 3], frames[3]!.data[0]]).toEqual([255, 191, 191])
  })

  test('busi: several masks of one picture joined; normal pictures have none', async () => {
    const folder = path.join(root, 'busi')
    const base = 'Dataset_BUSI_with_GT'
    for (const name of ['benign/benign (1)', 'normal/normal (1)', 'malignant/malignant (1)'])
      await writeGrey(folder, `${base}/${name}.png`, { width: 30, height: 20 })
    await writeGrey(folder, `${base}/benign/benign (1)_mask.png`, squareAt(1))
    await writeGrey(folder, `${base}/benign/benign (1)_mask_1.png`, squareAt(20))
    await writeGrey(folder, `${base}/normal/normal (1)_mask.png`, { width: 30, height: 20, level: 0 })
    const samples = await samplesOf('busi')
    expect([...samples.values()].map(sample => sample.mask !== undefined)).toEqual([true, false, false])
    expect((await locateFindings(samples.get('benign/benign (1).png')!)).boxes?.length).toBe(2)
  })

  test('hemorrhage: JPEG masks of the brain window cut in the middle', async () => {
    const folder = path.join(root, 'hemorrhage')
    const header =
      'PatientNumber,SliceNumber,Intraventricular,Intraparenchymal,Subarachnoid,Epidural,Subdural,No_Hemorrhage,Fracture_Yes_No'
    await writeTable(folder, 'hemorrhage_diagnosis.csv', header, ['49,14,1,0,0,0,0,0,0'])
    for (const kind of ['brain', 'bone'])
      await writeGrey(folder, `Patients_CT/049/${kind}/14.jpg`, { width: 32, height: 24 })
    const region = { x1: 8, y1: 8, x2: 16, y2: 16, level: 255 }
    await writeGrey(folder, 'Patients_CT/049/brain/14_HGE_Seg.jpg', { width: 32, height: 24, level: 0, region })
    const sample = (await samplesOf('hemorrhage')).get('049/014')!
    expect(await sample.masks!()).toHaveLength(1)
    expect((await locateFindings(sample)).boxes).toEqual([{ x1: 8, y1: 8, x2: 16, y2: 16 }])
  })

  test('vindr_mammo: boxes of the findings that have one', async () => {
    const folder = path.join(root, 'vindr_mammo')
    await writeTable(
      folder,
      'breast-level_annotations.csv',
      'study_id,series_id,image_id,laterality,view_position,height,width,breast_birads,breast_density,split',
      ['s1,x,i1,L,CC,60,40,BI-RADS 4,C,training', 's1,x,i2,R,CC,60,40,BI-RADS 1,C,training'],
    )
    await writeTable(folder, 'finding_annotations.csv', 'image_id,finding_categories,xmin,ymin,xmax,ymax', [
      `i1,"['Mass', 'Asymmetry']",3.5,4,10,12`,
      `i2,['No Finding'],,,,`,
    ])
    for (const image of ['i1', 'i2'])
      await writeLayoutFile(folder, `images/s1/${image}.dicom`, film(40, 60, { x1: 1, y1: 1, x2: 9, y2: 9 }))
    const samples = await samplesOf('vindr_mammo')
    expect(samples.get('s1/i1')?.boxes).toEqual([{ x1: 3.5, y1: 4, x2: 10, y2: 12 }])
    expect(samples.get('s1/i1')?.reference()).toContain('There is a mass / asymmetry.')
    expect(samples.get('s1/i1')?.reference()).toContain('"label": "BI-RADS 4"')
    expect(samples.get('s1/i2')?.boxes).toBeUndefined()
  })
})

describe('lndb: masks of three readers', () => {
  const shape = [20, 20, 12]
  const geometry =
    'NDims = 3\nDimSize = 20 20 12\nElementSpacing = 2 2 1.5\nOffset = -50 -40 -30\nTransformMatrix = 1 0 0 0 1 0 0 0 1'
  const header = (type: string, file: string) => `${geometry}\nElementType = ${type}\nElementDataFile = ${file}\n`
  /** Voxels with a finding around (10, 8, 6), of a radius along x. */
  const voxels = (radius: number, code: number) =>
    Uint8Array.from({ length: shape[0]! * shape[1]! * shape[2]! }, (_, i) => {
      const [x, y, z] = [i % 20, Math.floor(i / 20) % 20, Math.floor(i / 400)]
      return Math.abs(x - 10) <= radius && Math.abs(y - 8) <= 1 && Math.abs(z - 6) <= 2 ? code : 0
    })

  test('a voxel is a finding when more than half of those who segmented it have it', async () => {
    const folder = path.join(root, 'lndb')
    const at = '-30,-24,-21'
    await writeTable(folder, 'trainNodules.csv', 'LNDbID,RadID,FindingID,x,y,z,Nodule,Volume,Text', [
      `5,1,1,${at},1,400,5`,
      `5,2,3,${at},1,300,5`,
      `5,3,2,${at},1,200,5`,
    ])
    const scan = Int16Array.from(voxels(2, 1), inside => (inside === 1 ? 100 : -900))
    await writeLayoutFile(folder, 'data0/LNDb-0005.mhd', header('MET_SHORT', 'LNDb-0005.raw'))
    await writeLayoutFile(folder, 'data0/LNDb-0005.raw', new Uint8Array(scan.buffer))
    for (const [reader, finding, radius] of [
      [1, 1, 3],
      [2, 3, 2],
      [3, 2, 1],
    ] as const) {
      await writeLayoutFile(
        folder,
        `masks/LNDb-0005_rad${reader}.mhd`,
        header('MET_UCHAR', `LNDb-0005_rad${reader}.raw`),
      )
      await writeLayoutFile(folder, `masks/LNDb-0005_rad${reader}.raw`, voxels(radius, finding))
    }
    const sample = (await samplesOf('lndb')).get('LNDb-0005/1.1+2.3+3.2')!
    expect(sample.answer).toEqual(['nodule >= 3mm'])
    // Two of three have a radius of 2 voxels: 5 columns and 3 rows, in the frames at -2, -1, 1 and 2 slices.
    expect((await sample.masks!()).map(areaOf)).toEqual([15, 15, 15, 15])
    const [frame] = await sample.images!()
    const [mask] = await sample.masks!()
    for (let i = 0; i < mask!.data.length; i++) expect(frame!.data[i * 3]! > 127).toBe(mask!.data[i] === 1)
  })
})

describe(`masks of real layouts${whySkipped}`, () => {
  test.skipIf(whySkipped !== '').for([
    // The haemorrhage masks of the samples are black stand-ins, and two LNDb findings have no voxel in the toy masks.
    { id: 'busi', folder: 'us-busi', decoding: 12, marked: 12 },
    { id: 'hemorrhage', folder: 'ct-hemorrhage', decoding: 2, marked: 0 },
    { id: 'bcss', folder: 'path-bcss', decoding: 6, marked: 6 },
    { id: 'lndb', folder: 'ct-lndb', decoding: 3, marked: 2 },
    // The scans of the samples are of another patient and size than the segmentations.
    { id: 'kits23', folder: 'ct-kits23', decoding: 0, marked: 0 },
  ])(
    '$id: $decoding have the size of their pictures, $marked mark something',
    async ({ id, folder, decoding, marked }) => {
      const { samples } = await openDataset(id, { root: realFile(folder), onError: 'skip' })
      const decoded = await Promise.all(samples.filter(own => own.masks !== undefined).map(fittingMasks))
      const masks = decoded.filter(own => own !== undefined)
      expect([masks.length, masks.filter(own => own.some(mask => areaOf(mask) > 0)).length]).toEqual([decoding, marked])
    },
  )
})

/** The masks of a sample, or nothing where they do not decode; throws when one differs from its picture in size. */
async function fittingMasks({ id, images, masks }: Sample): Promise<readonly PixelMask[] | undefined> {
  const [pictures, own] = await Promise.all([images?.().catch(codeOf), masks?.().catch(codeOf)])
  if (!pictures || !own || typeof pictures === 'string' || typeof own === 'string') return undefined
  const odd = own.findIndex(({ width, height }, i) => width !== pictures[i]?.width || height !== pictures[i]?.height)
  if (odd >= 0) throw new Error(`mask ${odd} of ${id} differs from its picture`)
  return own
}

function codeOf(problem: unknown): string {
  if (isHintedError(problem) && problem.code === 'DATA_FILE_UNREADABLE') return problem.code
  throw problem
}

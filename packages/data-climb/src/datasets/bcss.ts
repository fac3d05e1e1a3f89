import type { DatasetFolder } from '../dataset/dataset-folder.ts'
import { defineDataset, type DatasetRow, type PixelRegion } from '../dataset/dataset.ts'
import { dataErrors } from '../errors.ts'
import { decodeImage } from '../media/image.ts'
import type { RgbImage, Split } from '../sample/sample.ts'
import { splitOfPatient } from '../sample/split.ts'
import { regionNames } from './label-names.ts'

/** Mask codes of the four classes; 0 is outside the annotated region, not a class. */
const codes: Readonly<Record<number, string>> = {
  1: 'Tumor',
  2: 'Stroma',
  3: 'Lymphocytic infiltrate',
  4: 'Necrosis/debris',
}
/** Tissue-source sites that the official baseline holds out. */
const testSites = new Set(['OL', 'LL', 'E2', 'EW', 'GM', 'S3'])
/** Sides of patches in pixels: where no class fills a large one, smaller ones inside it are tried. */
const patchSides = [512, 256] as const
/** The smallest region that gives a patch, as in the public loader. */
const smallestSide = 224
/** A patch shows a class that fills at least this share of it. */
const leastShare = 0.5

/** BCSS: patches of 151 regions of breast cancer slides, one tissue each. */
export const bcss = defineDataset({
  id: 'bcss',
  download: { type: 'manual', how: 'follow the links of github.com/PathologyDataScience/BCSS' },
  title: 'BCSS',
  domain: 'pathology',
  cue: 'breast histopathology patch',
  labels: Object.values(codes),
  ...regionNames,
  answerMode: 'single',
  access: 'open',
  licence: 'CC0 1.0',
  url: 'https://github.com/PathologyDataScience/BCSS',
  layout: 'images/<name>.png and masks/<name>.png of one size; masks hold class codes',
  splitRule: 'official sites OL, LL, E2, EW, GM and S3 are test; of the other patients a tenth is valid, by hash',
  spatialTruth: 'masks of the class inside the patch',
  differences: [
    'Patches are tiles of 512 pixels, or 256 inside those, in which one class fills half or more; the public loader takes boxes around contours, which other tissue may fill.',
    'The tenth of the slides that the public loader never uses is valid.',
  ],
  locations: [{ folder: '.', marker: 'masks' }],
  rows: async folder => {
    const rows: DatasetRow[] = []
    for (const name of await folder.list('masks', ['.png'])) rows.push(...(await patchesOf(folder, name)))
    return rows
  },
})

async function patchesOf(folder: DatasetFolder, name: string): Promise<DatasetRow[]> {
  const mask = await readMask(folder, name)
  const patientId = name.slice(0, 'TCGA-XX-YYYY'.length)
  const split = splitOfSlide(name, patientId)
  return patchesIn(mask, { x: 0, y: 0, width: mask.width, height: mask.height }).map(({ crop, code }) => ({
    key: `${name}/${[crop.y, crop.x].map(start => String(start).padStart(5, '0')).join('-')}`,
    place: `masks/${name}`,
    patientId,
    split,
    labels: [codes[code] ?? ''],
    media: { type: 'image', files: [`images/${name}`], crop },
    masks: [{ file: `masks/${name}`, code }],
    maskLabel: codes[code] ?? '',
  }))
}

interface Patch {
  readonly crop: PixelRegion
  readonly code: number
}

function patchesIn(mask: RgbImage, region: PixelRegion, level = 0): Patch[] {
  const side = patchSides[level]
  if (side === undefined) return []
  const [width, height] = [Math.min(side, region.width), Math.min(side, region.height)]
  return tileStarts(region.height, side).flatMap(top =>
    tileStarts(region.width, side).flatMap(left => {
      const crop = { x: region.x + left, y: region.y + top, width, height }
      const code = dominantCode(mask, crop)
      return code === undefined ? patchesIn(mask, crop, level + 1) : [{ crop, code }]
    }),
  )
}

async function readMask(folder: DatasetFolder, name: string): Promise<RgbImage> {
  const file = `masks/${name}`
  try {
    return await decodeImage(await folder.read(file), { orientation: 'stored' })
  } catch (cause) {
    throw dataErrors.FILE_UNREADABLE(
      { dataset: folder.dataset, row: file, file, problem: 'The mask does not decode.' },
      { cause },
    )
  }
}

/** Starts of tiles that cover a length, the last one moved back to end with it. */
function tileStarts(length: number, side: number): number[] {
  if (length < smallestSide) return []
  if (length <= side) return [0]
  const count = Math.ceil(length / side)
  return Array.from({ length: count }, (_, i) => Math.min(i * side, length - side))
}

function dominantCode(mask: RgbImage, { x, y, width, height }: PixelRegion): number | undefined {
  const counts = new Map<number, number>()
  for (let row = y; row < y + height; row++)
    for (let column = x; column < x + width; column++) {
      const code = mask.data[(row * mask.width + column) * 3]! // inside: the tile lies in the mask
      counts.set(code, (counts.get(code) ?? 0) + 1)
    }
  return [...counts].find(([code, count]) => code in codes && count >= leastShare * width * height)?.[0]
}

function splitOfSlide(name: string, patientId: string): Split {
  const site = name.slice(5, 7)
  return testSites.has(site)
    ? 'test'
    : splitOfPatient('bcss', patientId, { seed: 42, fractions: { valid: 0.1, test: 0 } })
}

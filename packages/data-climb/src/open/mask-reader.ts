import type { DatasetFolder } from '../dataset/dataset-folder.ts'
import type { DatasetRow, MaskSource } from '../dataset/dataset.ts'
import { parseDicomFile } from '../dicom/dicom-file.ts'
import { isSegmentation, readSegmentMasks } from '../dicom/segmentation.ts'
import { dataErrors } from '../errors.ts'
import { filesOfMask } from '../dataset/mask-files.ts'
import { identifyFile } from '../media/identify-file.ts'
import { decodeImage } from '../media/image.ts'
import { cropped, named } from './media.ts'
import { presentMedia } from '../media/present-media.ts'
import type { PixelMask, RgbImage } from '../sample/sample.ts'
import { axialMasks } from '../volume/slices.ts'
import { readVolume, readVolumeShape } from '../volume/volume-file.ts'

/** The lazy mask readers of a row that has masks, as fields to spread into a sample. */
export function masksOf(
  row: DatasetRow,
  folder: DatasetFolder,
): { readonly mask?: () => Promise<PixelMask>; readonly masks?: () => Promise<readonly PixelMask[]> } {
  const { masks: sources } = row
  if (sources === undefined || sources.length === 0) return {}
  const masks = () => readMasks(row, sources, folder)
  return { masks, mask: async () => (await masks())[0] ?? { width: 0, height: 0, data: new Uint8Array() } }
}

/** One mask per picture: of a volume's frames all, of pictures the first. */
async function readMasks(
  row: DatasetRow,
  sources: readonly MaskSource[],
  folder: DatasetFolder,
): Promise<readonly PixelMask[]> {
  const readers = await Promise.all(sources.map(source => readMask(source, row, folder)))
  const [first = []] = readers
  const needed = row.maskRule === 'majority' ? Math.floor(readers.length / 2) + 1 : 1
  return first.map((_, image) => {
    const parts = readers.flatMap(masks => masks[image] ?? [])
    refuseOddSize(parts, sources, { row, folder })
    return joined(parts, needed)
  })
}

interface At {
  readonly row: DatasetRow
  readonly folder: DatasetFolder
}

async function readMask(source: MaskSource, row: DatasetRow, folder: DatasetFolder): Promise<PixelMask[]> {
  if (typeof source === 'object' && 'volume' in source) {
    const file = source.volume
    return named(() => readVolumeMask(source, row, folder), { row, folder, file })
  }
  const pictures = (await Promise.all(filesOfMask(source).map(file => readMaskPictures(file, row, folder)))).flat()
  const [largest = { width: 0, height: 0, data: new Uint8Array() }] = pictures.toSorted(
    (a, b) => b.width * b.height - a.width * a.height,
  )
  const code = typeof source === 'object' && 'file' in source ? source.code : undefined
  return [maskOfPicture(cropped(largest, row.media.type === 'image' ? row.media.crop : undefined), code)]
}

/** Pictures of codes keep their levels as stored; other formats are shown as they are elsewhere. */
async function readMaskPictures(file: string, row: DatasetRow, folder: DatasetFolder): Promise<readonly RgbImage[]> {
  const read = async () => {
    const bytes = await folder.read(file)
    const kind = identifyFile(bytes, file)
    if (kind === 'picture') return [await decodeImage(bytes)]
    if (kind === 'dicom' && isSegmentation(parseDicomFile(bytes).dataSet)) return joinedSegments(bytes)
    return (await presentMedia({ bytes, name: file })).pictures
  }
  return named(read, { row, folder, file })
}

/** All segments of a DICOM segmentation in one picture. */
async function joinedSegments(bytes: Uint8Array): Promise<RgbImage[]> {
  const [first, ...others] = (await readSegmentMasks(bytes)).map(({ mask }) => mask)
  if (!first) return []
  const { width, height, data } = joined([first, ...others], 1)
  const levels = new Uint8Array(data.length * 3)
  for (let i = 0; i < data.length; i++) levels.fill(data[i]! * 255, i * 3, i * 3 + 3) // bounded by the loop
  return [{ width, height, data: levels }]
}

async function readVolumeMask(
  { volume, codes }: { readonly volume: string; readonly codes: readonly number[] },
  { media, place }: DatasetRow,
  folder: DatasetFolder,
): Promise<PixelMask[]> {
  const mask = await readVolume(folder.resolve(volume, place))
  if (media.type !== 'volume') return axialMasks(mask, codes)
  const shape = await readVolumeShape(folder.resolve(media.file, place))
  if (shape.join(' x ') !== mask.shape.join(' x '))
    throw dataErrors.VOLUME_INVALID({
      problem: `its shape ${mask.shape.join(' x ')} is not that of the scan, ${shape.join(' x ')}`,
    })
  return axialMasks(mask, codes, media)
}

/** Masks stored as JPEG have grey edges; they are cut in the middle. */
function maskOfPicture({ width, height, data }: RgbImage, code: number | undefined): PixelMask {
  const isInside = code === undefined ? (level: number) => level > 127 : (level: number) => level === code
  const mask = new Uint8Array(width * height)
  for (let i = 0; i < mask.length; i++) mask[i] = isInside(data[i * 3]!) ? 1 : 0 // three levels per pixel
  return { width, height, data: mask }
}

function refuseOddSize(parts: readonly PixelMask[], sources: readonly MaskSource[], { row, folder }: At): void {
  const [first] = parts
  const odd = parts.findIndex(part => part.width !== first?.width || part.height !== first.height)
  if (odd < 0) return
  const [file] = filesOfMask(sources[odd] ?? '')
  const problem = 'Its size differs from the other masks.'
  throw dataErrors.FILE_UNREADABLE({ dataset: folder.dataset, row: row.place, file, problem })
}

function joined(parts: readonly PixelMask[], needed: number): PixelMask {
  const [{ width, height } = { width: 0, height: 0 }] = parts
  const data = new Uint8Array(width * height)
  for (const part of parts) for (let i = 0; i < data.length; i++) data[i]! += part.data[i]! // one size
  for (let i = 0; i < data.length; i++) data[i] = data[i]! >= needed ? 1 : 0 // bounded by the loop
  return { width, height, data }
}

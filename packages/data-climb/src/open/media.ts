import { isHintedError } from '@qoq-med/errors'
import type { DatasetFolder } from '../dataset/dataset-folder.ts'
import type { DatasetRow, Media, PixelRegion } from '../dataset/dataset.ts'
import { readEcg } from '../ecg-files/read-ecg.ts'
import { dataErrors } from '../errors.ts'
import { filesOfMask } from '../dataset/mask-files.ts'
import { presentMedia } from '../media/present-media.ts'
import type { EcgRecording, Modality, RgbImage } from '../sample/sample.ts'
import { readWfdbHeader } from '../ecg/wfdb-file.ts'
import { signalFileBytes } from '../wfdb/signal-files.ts'

/** The media of a sample, as fields to spread into it. */
export interface SampleMedia {
  readonly modality: readonly Modality[]
  readonly files: readonly string[]
  readonly images?: () => Promise<readonly RgbImage[]>
  readonly ecg?: () => Promise<EcgRecording>
}

/** Makes the lazy readers of a row; their errors name dataset, row and file. */
export function mediaOf(row: DatasetRow, folder: DatasetFolder): SampleMedia {
  const { media } = row
  const files = primaryFiles(media).map(file => folder.resolve(file, row.place))
  if (media.type === 'ecg') return { modality: ['ecg'], files, ecg: ecgReader(media, row, folder) }
  if (media.type === 'image') {
    const images = async () => (await picturesOf(media.files, row, folder)).map(picture => cropped(picture, media.crop))
    return { modality: ['image'], files, images }
  }
  if (media.type === 'record') return recordMedia(media, row, { folder, files })
  const { file } = media
  const options = media.type === 'video' ? {} : { window: media.window, around: media.around }
  const frames = async () => (await presentMedia(folder.resolve(file), options)).pictures
  return { modality: ['video'], files, images: () => named(frames, { row, folder, file }) }
}

function recordMedia(
  { images, header, maxSeconds }: Extract<Media, { type: 'record' }>,
  row: DatasetRow,
  { folder, files }: { readonly folder: DatasetFolder; readonly files: readonly string[] },
): SampleMedia {
  const hasPictures = images.length > 0
  return {
    modality: [...(hasPictures ? ['image' as const] : []), ...(header === undefined ? [] : ['ecg' as const]), 'text'],
    files,
    ...(hasPictures && { images: () => picturesOf(images, row, folder) }),
    ...(header !== undefined && { ecg: ecgReader({ header, maxSeconds }, row, folder) }),
  }
}

async function picturesOf(files: readonly string[], row: DatasetRow, folder: DatasetFolder): Promise<RgbImage[]> {
  return (await Promise.all(files.map(file => readPictures(file, row, folder)))).flat()
}

function ecgReader(
  { header, maxSeconds = Infinity }: { readonly header: string; readonly maxSeconds?: number | undefined },
  row: DatasetRow,
  folder: DatasetFolder,
): () => Promise<EcgRecording> {
  const read = () => readEcg(folder.resolve(header), { maxSeconds })
  return () => named(read, { row, folder, file: header })
}

/**
 * Checks without decoding that a row's files are there and as long as their headers claim.
 *
 * @throws DATA_FILE_MISSING, DATA_FILE_TRUNCATED, DATA_FILE_UNREADABLE, DATA_PATH_UNSAFE
 */
export async function checkMedia(row: DatasetRow, folder: DatasetFolder): Promise<void> {
  for (const file of [...primaryFiles(row.media), ...(row.masks ?? []).flatMap(filesOfMask)]) {
    const size = await folder.size(inFolder(file, row, folder))
    if (size === undefined) throw dataErrors.FILE_MISSING({ dataset: folder.dataset, row: row.place, file })
    if (size === 0)
      throw dataErrors.FILE_TRUNCATED({ dataset: folder.dataset, row: row.place, file, needBytes: 1, haveBytes: 0 })
  }
  if ('header' in row.media && /\.hea$/i.test(row.media.header ?? ''))
    await checkRecord(row.media.header ?? '', row, folder)
}

async function checkRecord(headerFile: string, row: DatasetRow, folder: DatasetFolder): Promise<void> {
  const at = { dataset: folder.dataset, row: row.place }
  const header = await named(() => readWfdbHeader(folder.resolve(headerFile)), { row, folder, file: headerFile })
  const parent = headerFile.includes('/') ? headerFile.slice(0, headerFile.lastIndexOf('/') + 1) : ''
  for (const [name, needBytes] of signalFileBytes(header)) {
    const file = parent + name
    const haveBytes = await folder.size(file)
    if (haveBytes === undefined) throw dataErrors.FILE_MISSING({ ...at, file })
    if (haveBytes < needBytes) throw dataErrors.FILE_TRUNCATED({ ...at, file, needBytes, haveBytes })
  }
}

/** The files that a row's media are decoded from, without masks; of a recording its header. */
export function primaryFiles(media: Media): readonly string[] {
  if (media.type === 'ecg') return [media.header]
  if (media.type === 'record') return [...media.images, ...(media.header === undefined ? [] : [media.header])]
  return media.type === 'image' ? media.files : [media.file]
}

function inFolder(file: string, row: DatasetRow, folder: DatasetFolder): string {
  folder.resolve(file, row.place)
  return file
}

/** Decodes a picture; a DICOM file may give several. */
async function readPictures(file: string, row: DatasetRow, folder: DatasetFolder): Promise<readonly RgbImage[]> {
  return named(async () => (await presentMedia(folder.resolve(file))).pictures, { row, folder, file })
}

/** Cuts a part out of a picture. */
export function cropped(image: RgbImage, region: PixelRegion | undefined): RgbImage {
  if (!region) return image
  const { x, y, width, height } = region
  const data = new Uint8Array(width * height * 3)
  for (let row = 0; row < height; row++) {
    const start = ((y + row) * image.width + x) * 3
    data.set(image.data.subarray(start, start + width * 3), row * width * 3)
  }
  return { ...image, width, height, data }
}

/** Where a file stands, for errors. */
export interface Place {
  readonly row: DatasetRow
  readonly folder: DatasetFolder
  readonly file: string
}

/** Adds dataset, row and file to the error of a reader. */
export async function named<Value>(read: () => Promise<Value>, { row, folder, file }: Place): Promise<Value> {
  try {
    return await read()
  } catch (cause) {
    const problem = isHintedError(cause) ? cause.message : 'The file system refused.'
    const at = { dataset: folder.dataset, row: row.place, file, problem }
    throw dataErrors.FILE_UNREADABLE(at, { cause })
  }
}

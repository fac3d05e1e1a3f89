import { isHintedError } from '@qoq-med/errors'
import type { DatasetFolder } from './dataset-folder.ts'
import type { DatasetRow, Media } from './dataset.ts'
import { ecgRecording } from './ecg-recording.ts'
import { dataErrors } from './errors.ts'
import { decodeImage } from './image.ts'
import type { EcgRecording, Modality, PixelMask, RgbImage } from './sample.ts'
import { readWfdb, readWfdbHeader } from './wfdb-file.ts'
import { signalFileBytes } from './wfdb/signal-files.ts'

/** The media of a sample, as fields to spread into it. */
export interface SampleMedia {
  readonly modality: readonly Modality[]
  readonly files: readonly string[]
  readonly images?: () => Promise<readonly RgbImage[]>
  readonly ecg?: () => Promise<EcgRecording>
  readonly mask?: () => Promise<PixelMask>
}

/** Makes the lazy readers of a row; their errors name dataset, row and file. */
export function mediaOf(row: DatasetRow, folder: DatasetFolder): SampleMedia {
  const { media } = row
  const mask = row.mask === undefined ? {} : { mask: maskReader(row, row.mask, folder) }
  if (media.type === 'ecg') {
    const header = folder.resolve(media.header, row.place)
    const read = async () => ecgRecording(await readWfdb(header), { maxSeconds: media.maxSeconds })
    return { modality: ['ecg'], files: [header], ecg: () => named(read, { row, folder, file: media.header }), ...mask }
  }
  const images = () => Promise.all(media.files.map(file => readImage(file, row, folder)))
  return { modality: ['image'], files: media.files.map(file => folder.resolve(file, row.place)), images, ...mask }
}

/**
 * Checks without decoding that a row's files are there and as long as their headers claim.
 *
 * @throws DATA_FILE_MISSING, DATA_FILE_TRUNCATED, DATA_FILE_UNREADABLE, DATA_PATH_UNSAFE
 */
export async function checkMedia(row: DatasetRow, folder: DatasetFolder): Promise<void> {
  for (const file of filesOf(row.media, row.mask)) {
    const size = await folder.size(inFolder(file, row, folder))
    if (size === undefined) throw dataErrors.FILE_MISSING({ dataset: folder.dataset, row: row.place, file })
    if (size === 0)
      throw dataErrors.FILE_TRUNCATED({ dataset: folder.dataset, row: row.place, file, needBytes: 1, haveBytes: 0 })
  }
  if (row.media.type === 'ecg') await checkRecord(row.media.header, row, folder)
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

function filesOf(media: Media, mask: string | undefined): readonly string[] {
  const files = media.type === 'ecg' ? [media.header] : media.files
  return mask === undefined ? files : [...files, mask]
}

function inFolder(file: string, row: DatasetRow, folder: DatasetFolder): string {
  folder.resolve(file, row.place)
  return file
}

async function readImage(file: string, row: DatasetRow, folder: DatasetFolder): Promise<RgbImage> {
  return named(async () => decodeImage(await folder.read(file)), { row, folder, file })
}

function maskReader(row: DatasetRow, file: string, folder: DatasetFolder): () => Promise<PixelMask> {
  return async () => {
    const { width, height, data } = await readImage(file, row, folder)
    return { width, height, data: Uint8Array.from({ length: width * height }, (_, i) => (data[i * 3]! > 127 ? 1 : 0)) } // 3 per pixel
  }
}

interface Place {
  readonly row: DatasetRow
  readonly folder: DatasetFolder
  readonly file: string
}

/** Adds dataset, row and file to the error of a reader. */
async function named<Value>(read: () => Promise<Value>, { row, folder, file }: Place): Promise<Value> {
  try {
    return await read()
  } catch (cause) {
    const problem = isHintedError(cause) ? cause.message : 'The file system refused.'
    const at = { dataset: folder.dataset, row: row.place, file, problem }
    throw dataErrors.FILE_UNREADABLE(at, { cause })
  }
}

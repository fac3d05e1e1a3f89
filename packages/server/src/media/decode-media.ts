import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { identifyFile, presentMedia, readEcg, type EcgRecording, type PresentedMedia } from '@qoq-med/data-climb'
import { isHintedError } from '@qoq-med/errors'
import { requireAtMost } from '../limits.ts'
import { atFile } from './at-file.ts'
import type { DecodedMedia, DecodedPicture, DecodeMediaOptions, MediaFile, PictureGroup } from './decoded-media.ts'
import { sortFiles, type PlacedFile } from './sort-files.ts'

/** Seconds of a recording that the model looks at. */
const ecgSeconds = 10
/** Slices taken of a series, as of a volume (D.1). */
const framesPerSeries = 4

/**
 * Decodes the files of a request as training does: pictures, DICOM instances (those of one series become slices), volumes,
 * videos, and ECGs, of which a WFDB header is joined by its signal files.
 *
 * @throws the errors of the readers, with the place of the file; SERVER_LIMIT_EXCEEDED
 */
export async function decodeMedia(files: readonly MediaFile[], options: DecodeMediaOptions): Promise<DecodedMedia> {
  const { records, series } = sortFiles(files)
  const groups: PictureGroup[] = []
  const ecgs: EcgRecording[] = []
  const warnings: string[] = []
  for (const record of records) {
    const { warnings: told = [], ...ecg } = await atFile(record, () => readEcg(record, { maxSeconds: ecgSeconds }))
    ecgs.push(ecg)
    warnings.push(...told.map(text => `${record[0]?.place}: ${text}`))
  }
  let pixels = options.maxPixels
  for (const one of series) {
    const shown = await decodeSeries(one, { ...options, maxPixels: pixels })
    if ('ecg' in shown) ecgs.push(shown.ecg)
    else groups.push(shown.group)
    warnings.push(...shown.warnings)
    if ('group' in shown) for (const { image } of shown.group.pictures) pixels -= image.width * image.height
    requireAtMost(options.maxPixels, options.maxPixels - pixels, 'pixels')
  }
  return { groups, ecgs, warnings }
}

type ShownSeries = ({ readonly group: PictureGroup } | { readonly ecg: EcgRecording }) & {
  readonly warnings: readonly string[]
}

async function decodeSeries(series: readonly PlacedFile[], options: DecodeMediaOptions): Promise<ShownSeries> {
  const { frames = framesPerSeries } = options
  const count = Math.min(series.length, frames)
  const pictures: DecodedPicture[] = []
  const warnings: string[] = []
  for (let i = 0; i < count; i++) {
    const place = Math.floor(((i + 0.5) * series.length) / count)
    const placed = series[place]! // one of the series
    const shown = await atFile([placed.file], () => presentOrRead(placed.file, options))
    if ('signalMv' in shown) return { ecg: shown, warnings: shown.warnings ?? [] }
    pictures.push(
      ...shown.pictures.map((image, at) => ({ image, ...originOf(placed, shown, at), ...placeIn(series, place) })),
    )
    warnings.push(...toldOf(placed.file, shown))
  }
  if (series.length > count) warnings.push(`looked at ${count} of ${series.length} instances of a series`)
  return { group: { type: pictures.length > 1 ? 'video' : 'image', pictures }, warnings }
}

/** Which picture of which file it is. */
function originOf({ at, reference }: PlacedFile, { positions, length, kind }: PresentedMedia, index: number) {
  const position = positions[index] ?? 0
  const instance = reference && { reference, ...(length > 1 && { frame: position + 1 }) }
  return { file: at, kind, position, length, ...instance }
}

/** A slice of a series is counted within the series. */
function placeIn(series: readonly PlacedFile[], position: number): object {
  return series.length > 1 ? { position, length: series.length } : {}
}

function toldOf({ place }: MediaFile, { kind, positions, length, warnings }: PresentedMedia): string[] {
  const unit = kind === 'video' ? 'frames' : 'slices'
  const seen = `looked at ${positions.length} of ${length} ${unit} (${positions.map(one => one + 1).join(', ')})`
  return [...(length > positions.length ? [seen] : []), ...warnings].map(text => `${place}: ${text}`)
}

/** A DICOM file without pixels may be an ECG. */
async function presentOrRead(file: MediaFile, options: DecodeMediaOptions): Promise<PresentedMedia | EcgRecording> {
  if (identifyFile(file.bytes, file.name) === 'video') return presentVideo(file, options)
  try {
    return await presentMedia(file, options)
  } catch (thrown) {
    if (!isHintedError(thrown) || thrown.code !== 'DATA_DICOM_NO_PIXELS') throw thrown
    return readEcg(file, { maxSeconds: ecgSeconds }).catch(() => {
      throw thrown // it is no ECG either
    })
  }
}

/** Containers are read by a library that needs a file; it is written to a folder of its own, and goes with it. */
async function presentVideo({ bytes }: MediaFile, options: DecodeMediaOptions): Promise<PresentedMedia> {
  const folder = await mkdtemp(path.join(tmpdir(), 'qoq-video-'))
  try {
    const file = path.join(folder, 'video')
    await writeFile(file, bytes, { mode: 0o600 })
    return await presentMedia(file, options)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

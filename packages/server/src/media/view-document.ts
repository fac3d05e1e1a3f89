import type { EcgRecording } from '@qoq-med/data-climb'
import { decodeMedia } from './decode-media.ts'
import type { DecodedPicture, DecodeMediaOptions, MediaFile } from './decoded-media.ts'
import { valueWindow } from './value-window.ts'

/** Writes what a model sees of files: pixels, samples, and the window that the first file starts with. @returns JSON in UTF-8 */
export async function viewDocument(files: readonly MediaFile[], options: DecodeMediaOptions): Promise<Uint8Array> {
  const { groups, ecgs, warnings } = await decodeMedia(files, options)
  const [first] = files
  const document = {
    object: 'view',
    groups: groups.map(({ type, pictures }) => ({ type, pictures: pictures.map(pictureDocument) })),
    ecgs: ecgs.map(ecgDocument),
    window: (first && (await valueWindow(first))) ?? null,
    warnings,
  }
  return new TextEncoder().encode(JSON.stringify(document))
}

/** Pixels as base64: one byte each where a picture is grey, else red, green and blue. */
function pictureDocument({ image, file, kind, position, length }: DecodedPicture): object {
  const { width, height, data } = image
  const isGrey = data.every((value, i) => value === data[i - (i % 3)])
  const pixels = isGrey ? data.filter((_, i) => i % 3 === 0) : data
  return { file, kind, position, length, width, height, channels: isGrey ? 1 : 3, pixels: base64(pixels) }
}

function ecgDocument({ leads, samplingRateHz, signalMv }: EcgRecording): object {
  return { leads, fs: samplingRateHz, samples_mv: signalMv.map(base64) }
}

function base64({ buffer, byteOffset, byteLength }: Uint8Array | Float32Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64')
}

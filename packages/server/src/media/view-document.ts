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
  const grey = greyOf(data)
  return { file, kind, position, length, width, height, channels: grey ? 1 : 3, pixels: base64(grey ?? data) }
}

/** The levels of a picture without colour. Loops, since functions called for each of 150 million bytes take seconds. */
function greyOf(data: Uint8Array): Uint8Array | undefined {
  const levels = new Uint8Array(data.length / 3)
  for (let i = 0, at = 0; at < data.length; i++, at += 3) {
    const level = data[at]!
    if (data[at + 1] !== level || data[at + 2] !== level) return undefined
    levels[i] = level
  }
  return levels
}

function ecgDocument({ leads, samplingRateHz, signalMv }: EcgRecording): object {
  return { leads, fs: samplingRateHz, samples_mv: signalMv.map(base64) }
}

function base64({ buffer, byteOffset, byteLength }: Uint8Array | Float32Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64')
}

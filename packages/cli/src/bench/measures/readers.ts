import { readFile } from 'node:fs/promises'
import { decodeDicom, decodeImage, readEcg, readVideoFrames } from '@qoq-med/data-climb'
import { preprocessEcg, processImage } from '@qoq-med/encoders'

/** What is done with a file of each kind: all that stands between the disk and the model. */
export const readers = {
  ecg: async (file: string) => preprocessEcg(await readEcg(file)),
  dicom: async (file: string) => decodeDicom(await readFile(file)),
  image: async (file: string) => processImage(await decodeImage(await readFile(file))),
  video: async (file: string) => readVideoFrames(file),
} as const satisfies Readonly<Record<string, (file: string) => Promise<unknown>>>

/** A kind of file. */
export type ReaderKind = keyof typeof readers

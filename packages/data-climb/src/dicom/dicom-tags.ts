import dicomParser from 'dicom-parser'

/**
 * Reads which side a picture shows from the first part of a DICOM file: ImageLaterality, else Laterality.
 *
 * @returns `L`, `R`, `B`, or undefined where the file does not say or cannot be parsed
 */
export function lateralityOf(bytes: Uint8Array): string | undefined {
  try {
    const tags = dicomParser.parseDicom(bytes, { untilTag: 'x00200062' })
    return tags.string('x00200062') ?? tags.string('x00200060')
  } catch {
    return undefined
  }
}

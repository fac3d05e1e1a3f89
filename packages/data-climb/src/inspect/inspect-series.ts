import { createHash } from 'node:crypto'
import { dicomFacts } from '../dicom/dicom-facts.ts'
import { parseDicomFile } from '../dicom/dicom-file.ts'
import { decodeDicom } from '../dicom/dicom-image.ts'
import { patientFields } from '../dicom/patient-fields.ts'
import { readInputFile } from '../files/input-file.ts'
import { CalibratedHash, summarise } from '../media/array-summary.ts'
import { openSeries } from '../media/dicom-series.ts'
import type { FileReport } from './file-report.ts'
import { physicalParts } from './inspect-dicom.ts'

/**
 * Inspects the DICOM series in a folder slice by slice, in the order of the patient: [slices, rows, columns, samples].
 *
 * @throws DATA_SERIES_INVALID, and the errors of `decodeDicom`
 */
export async function inspectSeries(folder: string): Promise<FileReport> {
  const { slices, stepMm, warnings } = await openSeries(folder)
  const stored = createHash('sha256')
  const physical = new CalibratedHash()
  const said = new Set(warnings)
  const fields = new Set<string>()
  const parts: Omit<ReturnType<typeof summarise>, 'sha256'>[] = []
  let report: Pick<FileReport, 'shape' | 'dtype' | 'spacing' | 'about'> | undefined
  for (const { file } of slices) {
    const bytes = await readInputFile(file)
    const [image, parsed] = [await decodeDicom(bytes), parseDicomFile(bytes)]
    stored.update(new Uint8Array(image.pixels.buffer, image.pixels.byteOffset, image.pixels.byteLength))
    for (const part of physicalParts(image)) physical.add(part)
    parts.push(summarise(image.pixels))
    for (const warning of image.warnings) said.add(warning)
    for (const field of patientFields(parsed.dataSet)) fields.add(field)
    if (report && report.dtype !== image.dtype) said.add('slices differ in the type of their values')
    report ??= {
      shape: [slices.length, ...image.shape],
      dtype: image.dtype,
      ...(image.spacing.length > 0 && { spacing: [...(stepMm === undefined ? [] : [stepMm]), ...image.spacing] }),
      about: dicomFacts(parsed, image),
    }
  }
  return {
    format: 'dicom-series',
    ...report!, // a series has a slice
    sha256: stored.digest('hex'),
    sha256Physical: physical.digest(),
    first: parts[0]?.first ?? [],
    min: Math.min(...parts.map(({ min }) => min)),
    max: Math.max(...parts.map(({ max }) => max)),
    mean: parts.reduce((sum, { mean }) => sum + mean, 0) / parts.length, // slices of one size
    patientFields: [...fields],
    warnings: [...said],
  }
}

import { sha256OfCalibrated, summarise } from '../media/array-summary.ts'
import type { FileReport } from './file-report.ts'
import { niftiHeader } from '../volume/nifti.ts'
import { patientAxes } from '../volume/slices.ts'
import { decodeVolume, isNiftiFile } from '../volume/volume-file.ts'
import type { Volume } from '../volume/voxels.ts'

/** Inspects a volume; hashes run over the voxels with the first axis fastest. MetaImage shapes are given as z, y, x. */
export async function inspectVolume(bytes: Uint8Array, file: string): Promise<FileReport> {
  const volume = await decodeVolume(bytes, file)
  const { slope, intercept } = volume
  const isNifti = isNiftiFile(bytes, file)
  return {
    format: isNifti ? 'nifti' : 'metaimage',
    shape: isNifti ? volume.shape : volume.shape.toReversed(),
    dtype: volume.dtype,
    spacing: volume.spacing,
    ...summarise(volume.voxels),
    sha256Physical: sha256OfCalibrated([{ values: volume.voxels, calibrate: voxel => voxel * slope + intercept }]),
    about: volumeFacts(volume),
    ...patientTexts(bytes, isNifti),
    warnings: volume.warnings,
  }
}

const letters = [
  ['L', 'R'],
  ['P', 'A'],
  ['I', 'S'],
] as const

/** Where the stored axes run to, fastest first, as nibabel's `aff2axcodes` names it, and the window of the header. */
function volumeFacts(volume: Volume): Record<string, string> {
  const { axes, signs } = patientAxes(volume)
  const codes = [0, 1, 2].map(stored => {
    const patient = axes.findIndex(axis => axis === stored) as 0 | 1 | 2 // each axis is one of the patient's
    return letters[patient][signs[patient] > 0 ? 1 : 0]
  })
  const { window } = volume
  return { orientation: codes.join(''), ...(window && { window: `${window.center}/${window.width}` }) }
}

/** Texts of a NIfTI-1 header in which programs write what they like. */
const niftiTexts = [
  { name: 'data_type', start: 4, bytes: 10 },
  { name: 'db_name', start: 14, bytes: 18 },
  { name: 'descrip', start: 148, bytes: 80 },
  { name: 'aux_file', start: 228, bytes: 24 },
  { name: 'intent_name', start: 328, bytes: 16 },
] as const

function patientTexts(bytes: Uint8Array, isNifti: boolean): Pick<FileReport, 'patientFields'> {
  if (!isNifti) return {}
  const header = niftiHeader(bytes)
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength)
  // The second version has them elsewhere, and hardly any program writes it.
  if (![view.getInt32(0, true), view.getInt32(0, false)].includes(348)) return {}
  const filled = niftiTexts.filter(text => header.subarray(text.start, text.start + text.bytes).some(byte => byte > 32))
  return { patientFields: filled.map(({ name }) => `${name} (free text)`) }
}

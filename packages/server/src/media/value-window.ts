import { decodeDicom, decodeVolume, finiteRange, identifyFile, volumeWindow } from '@qoq-med/data-climb'
import type { MediaFile } from './decoded-media.ts'

/** A window on the values of a scan. */
export interface ValueWindow {
  readonly center: number
  readonly width: number
}

/** The window that a DICOM picture or a volume starts with: its own, what its values call for, or all of them. Nothing for other files. */
export async function valueWindow({ bytes, name }: MediaFile): Promise<ValueWindow | undefined> {
  const kind = identifyFile(bytes, name)
  if (kind === 'nifti' || kind === 'metaimage') return volumeWindow(await decodeVolume(bytes))
  if (kind !== 'dicom') return undefined
  const image = await decodeDicom(bytes, { choose: () => [0] }).catch(() => undefined) // an ECG
  if (image?.samples !== 1) return undefined
  const { window, pixels: voxels, slope, intercept } = image
  return window ?? windowOver(finiteRange({ voxels, slope, intercept }))
}

function windowOver([low, high]: readonly [number, number]): ValueWindow | undefined {
  return high > low ? { center: (low + high) / 2, width: high - low } : undefined
}

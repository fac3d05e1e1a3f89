import type { DataSet } from 'dicom-parser'
import { elementOf, itemsOf } from './dicom-values.ts'

const sharedGroups = 'x52009229'
const perFrameGroups = 'x52009230'

/** The attributes of a frame: a group of the frame, else the shared one, else the object itself. */
export type FrameAttributes = (group: string) => DataSet

/**
 * Finds the functional groups of an enhanced object (PS3.3 C.7.6.16), where scale, window, spacing and position stand.
 *
 * @returns for a frame, counted from 0, the data set in which to look for a group's attributes
 */
export function functionalGroups(dataSet: DataSet): (frame: number) => FrameAttributes {
  const [shared] = itemsOf(dataSet, sharedGroups)
  const perFrame = itemsOf(dataSet, perFrameGroups)
  return frame => group => {
    const own = perFrame[frame]
    const holder = [own, shared].find(groups => groups !== undefined && elementOf(groups, group) !== undefined)
    return (holder && itemsOf(holder, group)[0]) ?? dataSet
  }
}

/** Groups by their sequence tags. */
export const groups = {
  pixelMeasures: 'x00289110',
  pixelTransformation: 'x00289145',
  voi: 'x00289132',
} as const

import type { Sample } from './sample.ts'

/**
 * Gives a sample the boxes of its masks, and a reference response that lists them. Samples that have boxes, or no masks,
 * are returned as they are. Masks are decoded for it, so it is done when a sample is used and not when a dataset is opened.
 *
 * @throws DATA_FILE_UNREADABLE when a mask does not decode
 */
export async function locateFindings(sample: Sample): Promise<Sample> {
  return sample.locate ? { ...sample, ...(await sample.locate()) } : sample
}

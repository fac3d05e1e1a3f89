import { dataErrors } from '../errors.ts'

/** Seconds that the frames of one file may take: an hour of ultrasound at 25 frames per second decodes in two minutes. */
const maxSeconds = 300

/**
 * Starts the time that a file may take. The clock decides nothing but when to give a file up.
 *
 * @returns a check to call between pieces of work
 * @throws DATA_TIME_EXCEEDED from the check, when the time is over
 */
export function startTimeBudget(seconds = maxSeconds): () => void {
  const end = performance.now() + seconds * 1000
  return () => {
    if (performance.now() > end) throw dataErrors.TIME_EXCEEDED({ seconds })
  }
}

import type { Round } from './bench-row.ts'

/** What a measurement tells of a round; the caller takes the time where it does not. */
export type RoundFacts = Partial<Omit<Round, 'peakRssBytes'>>

/** Work that is ready to be done again and again. */
export interface Measurement {
  /** Does the work once. */
  round(): Promise<RoundFacts | undefined> | RoundFacts | undefined
  close?(): Promise<void>
}

/** Prepares a measurement from a row's options; throws where they do not fit. */
export type Measure = (options: unknown) => Promise<Measurement> | Measurement

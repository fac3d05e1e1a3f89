import type { Sample } from './sample.ts'
import { FactTable } from './sample-facts.ts'

/** Samples in a fixed order, of which any can be had without those before it; a sample decodes its media when asked to. */
export interface SampleSource {
  readonly length: number
  readonly facts: FactTable
  /** The samples of rows, in the order of the rows. @throws DATA_INDEX_INVALID where a row is damaged */
  readonly read: (rows: readonly number[]) => Promise<Sample[]>
  /** Rows that were left out when it was opened. */
  readonly skipped: number
}

/** A source of samples that are at hand. */
export function samplesInMemory(samples: readonly Sample[], skipped = 0): SampleSource {
  return {
    length: samples.length,
    facts: FactTable.of(samples),
    read: rows => Promise.resolve(rows.map(row => samples[row]!)), // rows of this source
    skipped,
  }
}

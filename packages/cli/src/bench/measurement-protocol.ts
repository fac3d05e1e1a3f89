import { z } from 'zod'

// A measuring process, ours or a peer's, gets its options as one JSON argument. It prepares the work and writes a line,
// `ready` or `unavailable`. Then it does one round for every line it reads and answers each with a line `round`. It ends
// when its input ends. Nothing else may be written to its standard output. peers/README.md says the same to peers.

const Ready = z.object({
  type: z.literal('ready'),
  /** Versions of what does the work. */
  versions: z.record(z.string(), z.string()),
})

const Unavailable = z.object({
  type: z.literal('unavailable'),
  /** Why there is nothing to measure, such as a package that is missing. */
  reason: z.string(),
})

const Rounded = z.object({
  type: z.literal('round'),
  seconds: z.number().nonnegative(),
  units: z.number().positive().optional(),
  value: z.number().optional(),
  parts: z.record(z.string(), z.number()).optional(),
  peakRssBytes: z.number().nonnegative(),
})

/** One line of a measuring process. */
export const MeasurementLine = z.discriminatedUnion('type', [Ready, Unavailable, Rounded])

/** One line of a measuring process. */
export type MeasurementLine = z.output<typeof MeasurementLine>

import type { DemoSteps } from './demo-config.ts'

/** Steps that are taken only to learn how long one takes here. */
export const measuredSteps = 2

/** Share of a demo's minutes in which DRPO trains; the others simulate and judge twice. */
const trainingShare = 0.55

/** Steps of DRPO after which more teach little: the rate has fallen, and the patients have been seen. */
const mostSteps = 60

/**
 * How many steps of DRPO fit into a demo.
 *
 * @param minutes of the whole demo
 * @param seconds of each measured step; the first compiles its programs, so the fastest counts
 * @returns at least 2
 */
export function stepsWithin(minutes: number, seconds: readonly number[]): number {
  const fastest = Math.min(...seconds)
  return Math.max(2, Math.min(mostSteps, Math.floor((minutes * 60 * trainingShare) / fastest)))
}

/** Steps of a demo from random weights at its default length, on two cores. */
const stepsFromNothing = { warmStart: 420, drpo: 22 }

/** Steps of a demo from random weights. @param scale of the demo's length; 1 is the default */
export function stepsFromScratch(scale: number): DemoSteps {
  const steps = (count: number): number => Math.max(2, Math.round(count * scale))
  return { warmStart: steps(stepsFromNothing.warmStart), drpo: steps(stepsFromNothing.drpo) }
}

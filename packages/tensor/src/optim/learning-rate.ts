/** The learning rate of a step; steps count from 0. */
export type LearningRateSchedule = (step: number) => number

/** Options of the schedules. */
export interface ScheduleOptions {
  /** The rate after the warm-up, and the highest one. */
  readonly peak: number
  /** Steps of a linear rise before: step s of the warm-up has the rate peak × s / warmupSteps, so the first has 0. Default 0. */
  readonly warmupSteps?: number
}

/** Options of the schedules that fall. */
export interface FallingScheduleOptions extends ScheduleOptions {
  /** Steps of the whole training; from there on the rate is `final`. */
  readonly totalSteps: number
  /** Default 0. */
  readonly final?: number
}

/** Stays at the peak after the warm-up. */
export function constantSchedule({ peak, warmupSteps = 0 }: ScheduleOptions): LearningRateSchedule {
  return step => peak * warmup(step, warmupSteps)
}

/** Falls from the peak to the final rate in a straight line. */
export function linearSchedule({
  peak,
  warmupSteps = 0,
  totalSteps,
  final = 0,
}: FallingScheduleOptions): LearningRateSchedule {
  return step =>
    step < warmupSteps
      ? peak * warmup(step, warmupSteps)
      : final + (peak - final) * (1 - progress(step, warmupSteps, totalSteps))
}

/** Falls from the peak to the final rate along half a cosine. */
export function cosineSchedule({
  peak,
  warmupSteps = 0,
  totalSteps,
  final = 0,
}: FallingScheduleOptions): LearningRateSchedule {
  return step =>
    step < warmupSteps
      ? peak * warmup(step, warmupSteps)
      : final + ((peak - final) * (1 + Math.cos(Math.PI * progress(step, warmupSteps, totalSteps)))) / 2
}

function warmup(step: number, warmupSteps: number): number {
  return step < warmupSteps ? step / warmupSteps : 1
}

/** Share of the fall that is done, 0 … 1. */
function progress(step: number, warmupSteps: number, totalSteps: number): number {
  return Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps))
}

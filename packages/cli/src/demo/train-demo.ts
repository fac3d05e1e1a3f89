import { rm } from 'node:fs/promises'
import path from 'node:path'
import type { CommandOutput } from '../command-output.ts'
import { progressReporter, startText } from '../training-progress.ts'
import { demoConfig, type DemoModel } from './demo-config.ts'
import { demoFolders, newDemoFolder } from './demo-folders.ts'
import { measuredSteps, stepsFromScratch, stepsWithin } from './demo-length.ts'
import type { DemoPlan, DemoStart } from './demo-plan.ts'

/** Minutes of a demo; it measures how many steps that is. */
export const defaultMinutes = 5

/** What a part of the demo tells, and what stops it. */
export interface DemoRun {
  readonly output: CommandOutput
  readonly signal: AbortSignal
}

/** What the training of a demo leaves. */
export interface TrainedDemo {
  readonly run: string
  readonly warmModel: string
  readonly model: string
  /** Of DRPO. */
  readonly steps: number
}

/** Where a demo trains, by which seed, and how long it may take. */
interface DemoWork {
  readonly out: string
  readonly seed: number
  /** Of the whole demo. */
  readonly minutes: number
}

/** Trains the demo's policy: the shipped warm start for as many steps as fit, or a policy from nothing. */
export async function trainPolicy(
  plan: DemoPlan,
  { start, out, seed, minutes }: DemoWork & { readonly start: DemoStart },
  { output, signal }: DemoRun,
): Promise<TrainedDemo> {
  const run = await newDemoFolder(out, demoFolders.run)
  const [{ nanoWarmStart }, { parseConfig, train }] = await Promise.all([
    import('@qoq-med/nano'),
    import('@qoq-med/trainer'),
  ])
  const model: DemoModel =
    start === 'shipped' ? { checkpoint: nanoWarmStart.folder } : { preset: 'qoq-nano', vocabularySize: 800 }
  const steps =
    start === 'shipped'
      ? { warmStart: 0, drpo: await measuredLength(plan, { model, out, seed, minutes }, { output, signal }) }
      : stepsFromScratch(minutes / defaultMinutes)
  const config = parseConfig(demoConfig(plan, { model, steps, seed }))
  const trained = await train(config, {
    baseFolder: out,
    out: run,
    signal,
    onStart: facts => output.note(startText(facts, config)),
    onStep: progressReporter(output),
  })
  const ownWarmStart = path.join(trained.folder, 'checkpoints', 'stage-1-step-0', 'model')
  return {
    run,
    warmModel: start === 'shipped' ? nanoWarmStart.folder : ownWarmStart,
    model: trained.model,
    steps: steps.drpo,
  }
}

/** Takes a few steps that are thrown away, to know how many fit into the demo on this machine. */
async function measuredLength(
  plan: DemoPlan,
  { model, out, seed, minutes }: DemoWork & { readonly model: DemoModel },
  { output, signal }: DemoRun,
): Promise<number> {
  output.progress('Measuring how long a step takes here')
  const run = await newDemoFolder(out, demoFolders.measured)
  const config = demoConfig(plan, { model, steps: { warmStart: 0, drpo: measuredSteps }, seed })
  const seconds: number[] = []
  const { parseConfig, train } = await import('@qoq-med/trainer')
  await train(parseConfig(config), {
    baseFolder: out,
    out: run,
    signal,
    onStep: ({ seconds: taken }) => void seconds.push(taken),
  })
  await rm(run, { recursive: true, force: true })
  const steps = stepsWithin(minutes, seconds)
  output.note(
    `A step takes about ${Math.min(...seconds).toFixed(1)} s here: ${steps} of them fit into ${minutes} minutes.`,
  )
  return steps
}

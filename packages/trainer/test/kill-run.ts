import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { metrics } from './small-run.ts'

/** Stages whose checkpoints hold everything that one may: moments, DRPO's history, a critic, an adaptive β, a best score. */
export function killedStages(steps: number): readonly unknown[] {
  const short = { microbatchSize: 4, checkpointEvery: 1 }
  const policy = {
    ...short,
    steps,
    questionsPerStep: 2,
    groupSize: 2,
    learningRate: 1e-4,
    rollout: { maxNewTokens: 8 },
  }
  const validate = { every: 2, samples: 2, split: 'test' }
  return [
    { ...short, name: 'warm', algorithm: 'sft', steps, batchSize: 4, learningRate: 2e-3, validate },
    {
      ...policy,
      name: 'drpo',
      algorithm: 'drpo',
      advantage: { history: 'running' },
      dynamicSampling: { maxRounds: 2 },
    },
    { ...policy, name: 'ppo', algorithm: 'ppo', adaptiveKl: { target: 0.01, horizon: 40 }, minibatches: 2 },
  ]
}

/** A run that is killed. */
export interface KilledRun {
  readonly baseFolder: string
  readonly config: unknown
}

/** When the process of a run is killed: at a time, or while it saves a checkpoint. */
export type KillPlan =
  | { readonly type: 'time'; readonly afterMs: number }
  | { readonly type: 'save'; readonly afterMs: number }

/** What came of a process: it ended by itself, or it was killed, perhaps leaving a half-written checkpoint. */
export type ProcessEnd = 'finished' | 'killed' | 'killed-in-save'

/** Runs a process until it ends, or until the plan kills it with SIGKILL. @throws when it ends with an error */
export async function runProcess(run: KilledRun, out: string, plan?: KillPlan): Promise<ProcessEnd> {
  const script = join(import.meta.dirname, 'kill-child.ts')
  const argv = ['--conditions=@qoq-med/source', script, run.baseFolder, out, JSON.stringify(run.config)]
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (text: Buffer) => (errors += text.toString()))
  const ended = new Promise<number | null>(resolve => child.once('close', code => resolve(code)))
  const stop = new AbortController()
  const killing = plan && killByPlan(child, join(out, 'checkpoints'), plan, stop.signal)
  const code = await ended
  stop.abort()
  await killing
  if (child.signalCode === 'SIGKILL') return hasHalf(join(out, 'checkpoints')) ? 'killed-in-save' : 'killed'
  if (code === 0) return 'finished'
  throw new Error(`the run failed: ${errors}`)
}

async function killByPlan(child: ChildProcess, folder: string, plan: KillPlan, signal: AbortSignal): Promise<void> {
  // A save that was cut off before leaves its folder: only a new one counts.
  if (plan.type === 'save') {
    const before = halves(folder)
    await rm(before[0] ? join(folder, before[0]) : join(folder, 'none.tmp'), { recursive: true, force: true })
    while (!signal.aborted && !hasHalf(folder)) await wait(1)
  }
  await wait(plan.afterMs, undefined, { signal }).catch(() => undefined)
  if (!signal.aborted) child.kill('SIGKILL')
}

const halves = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder).filter(name => name.endsWith('.tmp')) : []
const hasHalf = (folder: string): boolean => halves(folder).length > 0

/** Everything that a run left, without what depends on the clock: its metrics, and sha256 of its files. */
export async function leftBy(run: string): Promise<unknown> {
  const checkpoints = (await readdir(join(run, 'checkpoints'))).toSorted()
  const files = checkpoints.flatMap(name =>
    ['model/model.safetensors', 'optimizer.safetensors', 'critic.safetensors', 'state.json'].map(file =>
      join('checkpoints', name, file),
    ),
  )
  const all = ['model/model.safetensors', 'samples.jsonl', ...files].filter(file => existsSync(join(run, file)))
  const hashes = await Promise.all(all.map(async file => [file, await sha256(join(run, file))] as const))
  return { metrics: await metrics(run), hashes: Object.fromEntries(hashes) }
}

async function sha256(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex')
}

/** How often runs were killed, and how often while they saved. */
export interface KillTally {
  readonly kills: number
  readonly inSave: number
  /** Runs that came to their end and left what an uninterrupted one leaves. */
  readonly runs: number
}

/** What `killUntil` is told. */
export interface KillOptions {
  readonly kills: number
  /** Kills that must fall into a save. */
  readonly inSave: number
  readonly seed: number
  /** Longest time before a kill at a random time. */
  readonly longestMs: number
  /** Called with each run that came to its end. */
  readonly onRun: (folder: string) => Promise<void>
  readonly onKill?: (end: ProcessEnd, kills: number) => void
}

/** Kills and resumes runs until there were enough kills; every run is then brought to its end and handed over. */
export async function killUntil(run: KilledRun, folder: string, options: KillOptions): Promise<KillTally> {
  const random = xoroshiro128plus(options.seed)
  let [kills, inSave, runs] = [0, 0, 0]
  while (kills < options.kills || inSave < options.inSave) {
    const out = join(folder, `killed-${runs}`)
    for (let end: ProcessEnd = 'killed'; end !== 'finished';) {
      const isEnough = kills >= options.kills && inSave >= options.inSave
      // Every other kill waits for a save, until enough have met one; a save takes some tens of milliseconds.
      const isSave = inSave < options.inSave && kills % 2 === 0
      const afterMs = uniformFloat64(random) * (isSave ? 40 : options.longestMs)
      end = await runProcess(run, out, isEnough ? undefined : { type: isSave ? 'save' : 'time', afterMs })
      if (end === 'finished') continue
      kills++
      if (end === 'killed-in-save') inSave++
      options.onKill?.(end, kills)
    }
    runs++
    await options.onRun(out)
    await rm(out, { recursive: true, force: true })
  }
  return { kills, inSave, runs }
}

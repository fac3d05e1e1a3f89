import { existsSync } from 'node:fs'
import path from 'node:path'
import type { EvaluationResults } from '@qoq-med/eval'
import type { Sample } from '@qoq-med/data-climb'
import type { TrainConfig } from '@qoq-med/trainer'
import type { CommandInput } from '../command-input.ts'
import type { CommandOutput } from '../command-output.ts'
import { defineCommand } from '../command.ts'
import { seenSizeOf, withPolicy } from '../local-policy.ts'
import { textTable } from '../text-table.ts'
import { version } from '../version.ts'
import { researchNotice } from './ask.ts'
import { progressReporter, startText } from '../training-progress.ts'

/** Minutes that the default numbers of steps take on two cores. */
const defaultMinutes = 5

/** `qoq demo`: the whole story in a few minutes: data, warm start, DRPO, evaluation before and after. */
export const demoCommand = defineCommand({
  meta: {
    name: 'demo',
    description:
      'Train a small policy from nothing, by supervised warm start and DRPO, and show what each stage can do.',
    examples: ['qoq demo', 'qoq demo --minutes 2 --out runs/short-demo'],
  },
  args: {
    out: {
      type: 'string',
      value: 'DIR',
      default: 'runs/demo',
      description: 'run folder; an earlier demo there is replaced',
    },
    minutes: {
      type: 'number',
      value: 'N',
      min: 0.2,
      max: 600,
      default: defaultMinutes,
      description: 'about how long training may take on two cores',
    },
    data: {
      type: 'string',
      value: 'DIR',
      description: 'folder with the sample datasets; default: $QOQ_SHARED/data or ../shared/data, else simulated data',
    },
    seed: { type: 'number', value: 'N', integer: true, min: 0, default: 42, description: 'same seed, same run' },
  },
  run: async ({ args, input, output, signal }) => {
    const { parseConfig, train } = await import('@qoq-med/trainer')
    const began = performance.now()
    const out = input.resolve(args.out)
    await clearDemo(out)
    const plan = await demoData(args.data, out, args.seed, { input, output })
    const config = parseConfig(demoConfig(plan, args.seed, args.minutes / defaultMinutes))
    const result = await train(config, {
      baseFolder: out,
      out: path.join(out, 'run'),
      signal,
      onStart: facts => output.note(startText(facts, config)),
      onStep: progressReporter(output),
    })
    const models = { warm: path.join(result.folder, 'checkpoints', 'stage-1-step-0', 'model'), drpo: result.model }
    const warm = await judge(models.warm, plan, path.join(out, 'eval-warm-start'), { output, signal })
    const drpo = await judge(models.drpo, plan, path.join(out, 'eval-drpo'), { output, signal })
    const seconds = (performance.now() - began) / 1000
    const summary = {
      data: plan.origin,
      folder: out,
      model: result.model,
      seconds,
      warmStart: warm.metrics,
      drpo: drpo.metrics,
    }
    output.result(summary, () => demoText(plan, { warm, drpo }, { model: result.model, out, seconds }))
  },
})

/** What the demo trains on and is judged by. */
interface DemoPlan {
  readonly origin: 'real' | 'simulated'
  readonly sources: TrainConfig['data']['sources']
  /** Splits that train. */
  readonly splits: TrainConfig['data']['splits']
  /** Splits that are asked afterwards. */
  readonly judgedSplits: readonly string[]
  readonly about: string
  /** What to ask next. */
  readonly question: string
}

interface DemoIo {
  readonly input: CommandInput
  readonly output: CommandOutput
}

async function demoData(
  given: string | undefined,
  out: string,
  seed: number,
  { input, output }: DemoIo,
): Promise<DemoPlan> {
  const folder = input.resolve(given ?? path.join(input.env['QOQ_SHARED'] ?? '../shared', 'data'))
  if (given !== undefined || existsSync(path.join(folder, 'ecg-georgia'))) return realData(folder)
  output.note('There are no sample files here, so the demo simulates its data: nothing in it comes from a patient.')
  const { synthesise } = await import('@qoq-med/data-climb')
  await synthesise({
    dir: path.join(out, 'clinic'),
    seed,
    size: 240,
    domains: ['ecg', 'chest_xray', 'mri'],
    difficulty: 'easy',
  })
  return {
    origin: 'simulated',
    sources: ['ecg', 'chest_xray', 'mri'].map(domain => ({
      dataset: `mini_clinic_${domain}`,
      root: 'clinic',
      onError: 'throw' as const,
    })),
    splits: ['train', 'valid'],
    judgedSplits: ['test'],
    about: 'simulated ECGs, chest X-rays and brain MRIs; judged on patients that did not train',
    question: 'What does this show?',
  }
}

function realData(folder: string): DemoPlan {
  const source = (dataset: string, name: string, onError: 'throw' | 'skip' = 'throw') => ({
    dataset,
    root: path.join(folder, name),
    onError,
  })
  return {
    origin: 'real',
    sources: [
      source('georgia', 'ecg-georgia'),
      source('ptb_xl', 'ecg-ptbxl', 'skip'),
      source('brain_tumor', 'mri-brain-tumor'),
      source('covid_19', 'cxr-covid19'),
    ],
    splits: ['train', 'valid', 'test'],
    judgedSplits: ['train', 'valid', 'test'],
    about: `the real sample files of ${folder}; so few that they train and judge: this shows that it learns, not that it generalises`,
    question: 'What does this show?',
  }
}

/** An earlier demo is replaced; any other folder is left alone, since `train` refuses to write over a run. */
async function clearDemo(out: string): Promise<void> {
  const { rm } = await import('node:fs/promises')
  for (const name of ['run', 'eval-warm-start', 'eval-drpo'])
    await rm(path.join(out, name), { recursive: true, force: true })
}

function demoConfig({ sources, splits }: DemoPlan, seed: number, scale: number): unknown {
  const steps = (count: number): number => Math.max(2, Math.round(count * scale))
  return {
    name: 'demo',
    seed,
    model: { preset: 'qoq-nano', vocabularySize: 1000 },
    data: { sources, splits, maxPixels: 12_544 },
    rewards: 'paper',
    stages: [
      {
        name: 'warm-start',
        algorithm: 'sft',
        steps: steps(240),
        batchSize: 16,
        learningRate: 2e-3,
        schedule: { type: 'cosine', warmupSteps: 5 },
        checkpointEvery: 1000,
      },
      {
        name: 'drpo',
        algorithm: 'drpo',
        steps: steps(30),
        questionsPerStep: 8,
        groupSize: 8,
        learningRate: 1e-4,
        klCoefficient: 1e-2,
        advantage: { dampingScope: 'group' },
        rollout: { maxNewTokens: 96 },
        checkpointEvery: 1000,
      },
    ],
  }
}

async function judge(
  folder: string,
  plan: DemoPlan,
  outDir: string,
  { output, signal }: { output: CommandOutput; signal: AbortSignal },
): Promise<EvaluationResults> {
  const { openDataset } = await import('@qoq-med/data-climb')
  const { evaluate } = await import('@qoq-med/eval')
  const samples: Sample[] = []
  for (const { dataset, root, onError } of plan.sources) {
    const opened = await openDataset(dataset, { root: path.resolve(path.dirname(outDir), root), onError })
    samples.push(...opened.samples.filter(({ split }) => plan.judgedSplits.includes(split)))
  }
  return withPolicy({ folder, threads: 2, mropeRule: 'legacy' }, output, async policy =>
    evaluate({
      policy,
      samples,
      seenSize: await seenSizeOf(policy.model),
      outDir,
      sampling: { temperature: 0, maxNewTokens: 96 },
      versions: { '@qoq-med/cli': version, node: process.version },
      signal,
      onProgress: ({ done, total }) => output.progress(`Answered ${done} of ${total} samples`),
    }),
  )
}

function demoText(
  { about, question }: DemoPlan,
  results: Readonly<Record<'warm' | 'drpo', EvaluationResults>>,
  { model, out, seconds }: { model: string; out: string; seconds: number },
): string {
  const domains = Object.keys(results.warm.metrics.domains).map(domain => `F1 ${domain}`)
  return [
    textTable([
      ['policy', 'accuracy', 'macro-F1', ...domains],
      resultRow('warm start', results.warm),
      resultRow('DRPO', results.drpo),
    ]),
    '',
    `Data: ${about}.`,
    `It took ${Math.round(seconds)} s. Everything is in ${out}; the report is ${path.join(out, 'eval-drpo', 'report.md')}.`,
    `Next: qoq ask --model ${model} --image FILE --label A --label B "${question}"`,
    researchNotice,
  ].join('\n')
}

function resultRow(name: string, { metrics }: EvaluationResults): string[] {
  return [
    name,
    metrics.overall.accuracy.toFixed(3),
    metrics.overall.f1.toFixed(3),
    ...Object.values(metrics.domains).map(({ f1 }) => f1.toFixed(3)),
  ]
}

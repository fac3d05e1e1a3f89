import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import type { Sample } from '@qoq-med/data-climb'
import type { EvaluationResults } from '@qoq-med/eval'
import type { CommandOutput } from '../command-output.ts'
import { defineCommand } from '../command.ts'
import { demoClinics, demoConfig, realPlan, simulatedPlan, type DemoPlan } from '../demo/demo-plan.ts'
import { clearDemoFolders, demoFolders, markDemoFolder } from '../demo/demo-folders.ts'
import { comparisonWords, demoText, policyTable, type DemoOutcome } from '../demo/demo-report.ts'
import { withPolicy } from '../local-policy.ts'
import { progressReporter, startText } from '../training-progress.ts'
import { version } from '../version.ts'
import { researchNotice } from '../research-notice.ts'

/** Minutes that the default numbers of steps take on two cores. */
const defaultMinutes = 5

/** `qoq demo`: the whole story in a few minutes: data, warm start, DRPO, evaluation before and after. */
export const demoCommand = defineCommand({
  meta: {
    name: 'demo',
    description:
      'Simulate a clinic, train a small policy from nothing by supervised warm start and DRPO, and compare both on held-out patients.',
    examples: ['qoq demo', 'qoq demo --minutes 2 --out runs/short-demo'],
  },
  args: {
    out: {
      type: 'string',
      value: 'DIR',
      default: 'runs/demo',
      description: 'its folder; what an earlier demo made there is replaced, nothing else',
    },
    minutes: {
      type: 'number',
      value: 'N',
      min: 0.2,
      max: 600,
      default: defaultMinutes,
      description: 'about how long it may take on two cores',
    },
    data: {
      type: 'string',
      value: 'DIR',
      description: 'folder with sample files of real datasets, which then train and judge; default: simulated patients',
    },
    seed: { type: 'number', value: 'N', integer: true, min: 0, default: 42, description: 'same seed, same run' },
  },
  run: async ({ args, input, output, signal }) => {
    const { parseConfig, train, writeRunReport } = await import('@qoq-med/trainer')
    const { compareRuns } = await import('@qoq-med/eval')
    const began = performance.now()
    const out = input.resolve(args.out)
    await clearDemoFolders(out)
    const scale = args.minutes / defaultMinutes
    const plan =
      args.data === undefined
        ? await simulate(out, { seed: args.seed, scale }, output)
        : realPlan(input.resolve(args.data))
    const config = parseConfig(demoConfig(plan, args.seed, scale))
    const run = await newFolder(out, demoFolders.run)
    const { folder, model } = await train(config, {
      baseFolder: out,
      out: run,
      signal,
      onStart: facts => output.note(startText(facts, config)),
      onStep: progressReporter(output),
    })
    const evaluations = {
      warm: await newFolder(out, demoFolders.warmStart),
      drpo: await newFolder(out, demoFolders.drpo),
    }
    const warmModel = path.join(folder, 'checkpoints', 'stage-1-step-0', 'model')
    const warm = await judge(warmModel, plan, evaluations.warm, { output, signal })
    const drpo = await judge(model, plan, evaluations.drpo, { output, signal })
    const outcome = { warm, drpo, comparison: await compareRuns(evaluations.warm, evaluations.drpo) }
    const report = await writeRunReport(run, { title: 'QoQ-Med demo', sections: await sectionsOf(plan, outcome) })
    const seconds = (performance.now() - began) / 1000
    const next = `qoq explain ${run} --step ${config.stages[1]?.steps ?? 1}`
    output.result(
      { data: plan.origin, model, report, seconds, warmStart: warm.metrics, drpo: drpo.metrics, ...outcome.comparison },
      () => `${demoText(plan, outcome, { report, seconds, next })}\n${researchNotice}`,
    )
  },
})

async function simulate(
  out: string,
  { seed, scale }: { readonly seed: number; readonly scale: number },
  output: CommandOutput,
): Promise<DemoPlan> {
  output.note('The clinic is simulated: nothing in it comes from a patient.')
  const { synthesise } = await import('@qoq-med/data-climb')
  for (const clinic of demoClinics(seed, scale)) {
    const { dir } = await synthesise({ ...clinic, dir: path.join(out, clinic.dir) })
    await markDemoFolder(dir)
  }
  return simulatedPlan
}

async function newFolder(out: string, name: string): Promise<string> {
  const folder = path.join(out, name)
  await mkdir(folder, { recursive: true })
  await markDemoFolder(folder)
  return folder
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
  for (const { dataset, root, onError } of plan.judges) {
    const opened = await openDataset(dataset, { root: path.resolve(path.dirname(outDir), root), onError })
    samples.push(...opened.samples)
  }
  return withPolicy({ folder, threads: 2, mropeRule: 'legacy', signal }, output, async policy =>
    evaluate({
      policy,
      samples,
      seenSize: policy.model.seenSize,
      outDir,
      sampling: { temperature: 0, maxNewTokens: 96 },
      versions: { '@qoq-med/cli': version, node: process.version },
      signal,
      onProgress: ({ done, total }) => output.progress(`Answered ${done} of ${total} samples`),
    }),
  )
}

async function sectionsOf({ about }: DemoPlan, outcome: DemoOutcome): Promise<string[]> {
  const { escapeHtml, htmlTable } = await import('@qoq-med/report')
  const [heads = [], ...rows] = policyTable(outcome)
  return [
    '<h2>Before and after DRPO</h2>',
    htmlTable(heads, rows),
    ...[...comparisonWords(outcome), `Data: ${about}.`].map(text => `<p>${escapeHtml(text)}</p>`),
  ]
}

import path from 'node:path'
import type { Sample } from '@qoq-med/data-climb'
import type { EvaluationResults } from '@qoq-med/eval'
import type { CommandOutput } from '../command-output.ts'
import { defineCommand } from '../command.ts'
import { demoClinics, realPlan, simulatedPlan, type DemoPlan, type DemoStart } from '../demo/demo-plan.ts'
import { clearDemoFolders, demoFolders, markDemoFolder, newDemoFolder } from '../demo/demo-folders.ts'
import { showFirstAnswer } from '../demo/first-answer.ts'
import { defaultMinutes, trainPolicy, type DemoRun } from '../demo/train-demo.ts'
import { comparisonWords, demoText, knownOfDrpo, policyTable, type DemoOutcome } from '../demo/demo-report.ts'
import { withPolicy } from '../local-policy.ts'
import { version } from '../version.ts'
import { researchNotice } from '../research-notice.ts'

/** `qoq demo`: the whole story in a few minutes: patients, DRPO from a warm start, evaluation before and after. */
export const demoCommand = defineCommand({
  meta: {
    name: 'demo',
    description:
      'Simulate a clinic, train the small policy that ships with the project by DRPO, and compare before and after on other patients.',
    examples: ['qoq demo', 'qoq demo --minutes 2 --out runs/short-demo', 'qoq demo --from-nothing'],
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
    fromNothing: { type: 'flag', description: 'train the policy from random weights, with a warm start of its own' },
    data: {
      type: 'string',
      value: 'DIR',
      description: 'folder with sample files of real datasets, which then train and judge; default: simulated patients',
    },
    seed: { type: 'number', value: 'N', integer: true, min: 0, default: 42, description: 'same seed, same run' },
  },
  run: async ({ args, input, output, signal }) => {
    const { writeRunReport } = await import('@qoq-med/trainer')
    const { compareRuns } = await import('@qoq-med/eval')
    const began = performance.now()
    const out = input.resolve(args.out)
    await clearDemoFolders(out)
    const scale = args.minutes / defaultMinutes
    // The shipped warm start knows simulated patients; real files need a policy of their own.
    const start: DemoStart = args.fromNothing || args.data !== undefined ? 'nothing' : 'shipped'
    const plan =
      args.data === undefined
        ? await simulate(out, { seed: args.seed, scale }, output)
        : realPlan(input.resolve(args.data))
    if (start === 'shipped') await showFirstAnswer(plan, out, { output, signal })
    const trained = await trainPolicy(plan, { start, out, seed: args.seed, minutes: args.minutes }, { output, signal })
    const evaluations = {
      warm: await newDemoFolder(out, demoFolders.warmStart),
      drpo: await newDemoFolder(out, demoFolders.drpo),
    }
    const warm = await judge(trained.warmModel, plan, evaluations.warm, { output, signal })
    const drpo = await judge(trained.model, plan, evaluations.drpo, { output, signal })
    const outcome = { warm, drpo, comparison: await compareRuns(evaluations.warm, evaluations.drpo) }
    const report = await writeRunReport(trained.run, {
      title: 'QoQ-Med demo',
      sections: await sectionsOf(plan, outcome),
    })
    const seconds = (performance.now() - began) / 1000
    const next = `qoq explain ${trained.run} --step ${trained.steps}`
    const { model } = trained
    output.result(
      {
        data: plan.origin,
        start,
        model,
        report,
        seconds,
        warmStart: warm.metrics,
        drpo: drpo.metrics,
        ...outcome.comparison,
      },
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

async function judge(
  folder: string,
  plan: DemoPlan,
  outDir: string,
  { output, signal }: DemoRun,
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
      sampling: { temperature: 0, maxNewTokens: 128 },
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
    ...[...comparisonWords(outcome), knownOfDrpo, `Data: ${about}.`].map(text => `<p>${escapeHtml(text)}</p>`),
  ]
}

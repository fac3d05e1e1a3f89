import { pathToFileURL } from 'node:url'
import type { AsyncReward, CompositeReward } from '@qoq-med/rewards'
import { z } from 'zod'
import { checkValue, type CommandInput, parseJson } from '../command-input.ts'
import { defineCommand } from '../command.ts'
import { atPlace } from '../error-place.ts'
import { cliErrors } from '../errors.ts'
import { createMaskReader } from '../mask-reader.ts'
import { share, textTable } from '../text-table.ts'

/** Fields of a line are checked by the rewards package; here it only has to be an object. */
const Line = z.record(z.string(), z.unknown())

const Weights = z.record(
  z.string(),
  z.union([z.number(), z.strictObject({ weight: z.number(), path: z.string().min(1) })], {
    error: 'must be a weight, or { weight, path } of a module with a reward',
  }),
)

const weightArguments = {
  preset: { type: 'string', value: 'NAME', description: 'paper (default) or release' },
  weights: {
    type: 'string',
    value: 'JSON',
    description: 'weights by reward: {"accuracy":0.8,"mine":{"weight":0.2,"path":"mine.ts"}}',
  },
} as const

/** `qoq rewards lint`: what a reward pays for gaming it. */
const lintCommand = defineCommand({
  meta: {
    name: 'lint',
    description: 'Probe a reward for gaming: what it pays for empty, endless, repeated and lying answers.',
    examples: ['qoq rewards lint --preset paper'],
  },
  args: weightArguments,
  run: async ({ args, input, output }) => {
    const { lintReward, renderLint } = await import('@qoq-med/rewards')
    const report = await lintReward(await createComposite(args, input))
    output.result(report, () => renderLint(report))
  },
})

/** `qoq rewards`: responses and truths on stdin, scores on stdout. */
export const rewardsCommand = defineCommand({
  meta: {
    name: 'rewards',
    description: 'Score responses against their truth; one JSON line in, one out.',
    examples: [
      `echo '{"id":1,"response":"<think>…</think> \\\\boxed{Edema}","answer":["Edema"],"modality":"ecg"}' | qoq rewards --json`,
    ],
  },
  args: {
    ...weightArguments,
    boxFormat: {
      type: 'string',
      value: 'FORM',
      choices: ['xyxy', 'xywh'],
      default: 'xyxy',
      description: "what a response's four numbers mean",
    },
  },
  commands: [lintCommand],
  run: async ({ args, input, output }) => {
    const { readRewardRow, scoreRows } = await import('@qoq-med/rewards')
    const composite = await createComposite(args, input)
    const lines = await input.readJsonLines(Line, 'lines of responses')
    const readMask = createMaskReader(input)
    const rows: unknown[] = []
    for (const [index, line] of lines.entries()) {
      const row = 'mask' in line ? { ...line, mask: await readMasks(line['mask'], readMask) } : line
      await atPlace(`Response ${index + 1}`, async () => readRewardRow(row))
      rows.push(row)
    }
    const scores = await scoreRows(rows, composite, { format: args.boxFormat })
    output.results(scores, () =>
      textTable([
        ['id', 'score', 'parts', 'labels'],
        ...scores.map(({ id, score, parts, parsed }) => [
          String(id),
          share(score),
          Object.entries(parts)
            .map(([name, value]) => `${name} ${share(value)}`)
            .join(', '),
          parsed.labels.join(', '),
        ]),
      ]),
    )
  },
})

/** A mask that is named is read; of a list, each. Whatever else stands there is checked later. */
async function readMasks(mask: unknown, read: (file: string) => Promise<unknown>): Promise<unknown> {
  if (Array.isArray(mask)) return Promise.all(mask.map((one: unknown) => readMasks(one, read)))
  return typeof mask === 'string' ? read(mask) : mask
}

async function createComposite(
  { preset, weights }: { readonly preset: string | undefined; readonly weights: string | undefined },
  input: CommandInput,
): Promise<CompositeReward<AsyncReward>> {
  const { combine, loadWeights, presetNamed } = await import('@qoq-med/rewards')
  if (weights === undefined) return combine(presetNamed(preset ?? 'paper'))
  if (preset !== undefined)
    throw cliErrors.ARGUMENT_EXTRA({ command: 'qoq rewards', reason: '--preset and --weights exclude each other' })
  const config = checkValue(parseJson(weights, '--weights'), Weights, '--weights')
  return combine(await loadWeights(config, path => import(pathToFileURL(input.resolve(path)).href)))
}

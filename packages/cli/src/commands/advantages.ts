import { z } from 'zod'
import { checkValue, parseJson } from '../command-input.ts'
import { defineCommand } from '../command.ts'
import { textTable } from '../text-table.ts'

/** A number; "NaN" and the infinities come as text, since JSON has none, and are refused by name later. */
const Real = z.union([z.number(), z.literal(['NaN', 'Infinity', '-Infinity']).transform(Number)], {
  error: 'must be a number',
})

const Batch = z.strictObject({
  rewards: z.array(Real),
  questionIds: z.array(z.union([z.string(), z.number()], { error: 'must be a text or a number' })),
  domains: z.array(z.string()),
  kl: z.array(Real).optional(),
  lengths: z.array(z.int().min(0)).optional(),
  baselines: z.array(Real).optional(),
  values: z.array(z.array(Real)).optional(),
})

/** `qoq advantages`: rewards on stdin, advantages on stdout. */
export const advantagesCommand = defineCommand({
  meta: {
    name: 'advantages',
    description: 'Turn the rewards of a batch into advantages (DRPO and its siblings).',
    examples: [
      `echo '{"rewards":[1,0,0,1],"questionIds":[1,1,2,2],"domains":["ecg","ecg","mri","mri"]}' | qoq advantages --estimator drpo --json`,
    ],
  },
  args: {
    estimator: {
      type: 'string',
      value: 'NAME',
      required: true,
      description: 'drpo, grpo, … ; a wrong name lists them',
    },
    options: { type: 'string', value: 'JSON', default: '{}', description: "the estimator's options as a JSON object" },
    stages: { type: 'flag', description: 'also answer every intermediate value' },
  },
  run: async ({ args, input, output }) => {
    const { advantageEstimators, estimateAdvantages } = await import('@qoq-med/core-drpo')
    advantageEstimators.get(args.estimator) // a wrong name is said before standard input is waited for
    const options = checkValue(parseJson(args.options, '--options'), z.record(z.string(), z.unknown()), '--options')
    const batch = await input.readJson(Batch, 'batch of rewards')
    const { advantages, stages } = estimateAdvantages(args.estimator, batch, options, { stages: args.stages })
    const result = { advantages, ...(args.stages && { stages }) }
    output.result(result, () => advantageTable(batch, advantages))
  },
})

function advantageTable(batch: z.output<typeof Batch>, advantages: ArrayLike<number | Float64Array>): string {
  const rows = batch.rewards.map((reward, index) => {
    const advantage = advantages[index] ?? Number.NaN
    const text =
      typeof advantage === 'number' ? advantage.toFixed(4) : Array.from(advantage, one => one.toFixed(4)).join(' ')
    return [String(batch.questionIds[index]), batch.domains[index] ?? '', reward.toFixed(3), text]
  })
  return textTable([['question', 'domain', 'reward', 'advantage'], ...rows])
}

import type { RewardBatch } from '@qoq-med/core-drpo'
import { z } from 'zod'
import { checkValue, parseJson } from '../command-input.ts'
import { defineCommand } from '../command.ts'
import { textTable } from '../text-table.ts'

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
    const { advantageEstimators, estimateAdvantages, parseRewardBatch } = await import('@qoq-med/core-drpo')
    advantageEstimators.get(args.estimator) // a wrong name is said before standard input is waited for
    const options = checkValue(parseJson(args.options, '--options'), z.record(z.string(), z.unknown()), '--options')
    const batch = parseRewardBatch(await input.readJson(z.unknown(), 'batch of rewards'))
    const { advantages, stages } = estimateAdvantages(args.estimator, batch, options, { stages: args.stages })
    const result = { advantages, ...(args.stages && { stages }) }
    output.result(result, () => advantageTable(batch, advantages))
  },
})

function advantageTable(
  { rewards, questionIds, domains }: RewardBatch,
  advantages: ArrayLike<number | Float64Array>,
): string {
  const rows = Array.from(rewards, (reward, index) => {
    const advantage = advantages[index] ?? Number.NaN
    const text =
      typeof advantage === 'number' ? advantage.toFixed(4) : Array.from(advantage, one => one.toFixed(4)).join(' ')
    return [String(questionIds[index]), domains[index] ?? '', reward.toFixed(3), text]
  })
  return textTable([['question', 'domain', 'reward', 'advantage'], ...rows])
}

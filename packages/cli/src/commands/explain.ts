import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { defineCommand } from '../command.ts'
import { writeWhole } from '../output-file.ts'
import { researchNotice } from '../research-notice.ts'

/** `qoq explain`: one rollout of a run, its reward and advantage in words, and its picture. */
export const explainCommand = defineCommand({
  meta: {
    name: 'explain',
    description: 'Explain one answer of a training run: reward part by part, advantage step by step, and its picture.',
    examples: ['qoq explain runs/spine --step 12 --sample 3'],
  },
  args: {
    run: { type: 'positional', required: true, description: 'run folder of qoq train' },
    step: { type: 'number', value: 'S', integer: true, min: 1, required: true, description: 'step of the stage' },
    sample: {
      type: 'number',
      value: 'I',
      integer: true,
      min: 0,
      default: 0,
      description: 'rollout of the step, from 0',
    },
    stage: { type: 'string', value: 'NAME', description: 'stage; default: the last one that kept rollouts' },
    out: { type: 'string', value: 'FILE', description: 'PNG of the picture; default: in the run folder' },
  },
  run: async ({ args, input, output }) => {
    const { drawRollout, explainRollout } = await import('@qoq-med/trainer')
    const folder = input.resolve(args.run)
    const { rollout, words } = await explainRollout(folder, args)
    const drawing = await drawRollout(folder, rollout)
    const file = `explain-${rollout.stage}-${rollout.step}-${args.sample}.png`
    const picture = drawing && (args.out === undefined ? path.join(folder, file) : input.resolve(args.out))
    if (picture) await writeWhole(picture, partial => writeFile(partial, drawing))
    output.result({ ...rollout, words, picture }, () =>
      [...words, '', rollout.response, ...(picture ? ['', `Picture: ${picture}`] : []), researchNotice].join('\n'),
    )
  },
})

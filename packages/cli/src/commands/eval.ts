import type { Sample, Split } from '@qoq-med/data-climb'
import type { CommandInput } from '../command-input.ts'
import type { CommandOutput } from '../command-output.ts'
import { defineCommand } from '../command.ts'
import { cliErrors } from '../errors.ts'
import { runArguments, seenSizeOf, weightFingerprint, withPolicy } from '../local-policy.ts'
import { researchNotice } from './ask.ts'
import { metricsTable } from './metrics.ts'
import { version } from '../version.ts'

/** `qoq eval`: a model against the samples of datasets. */
export const evalCommand = defineCommand({
  meta: {
    name: 'eval',
    description: "Evaluate a model on datasets: the paper's accuracy and macro-F1, box IoU, intervals, a report.",
    examples: [
      'qoq eval --model runs/demo/model --data mini_clinic_mri=data/clinic --data mini_clinic_ecg=data/clinic --out runs/eval',
    ],
  },
  args: {
    model: { type: 'string', value: 'DIR', required: true, description: 'model folder' },
    data: { type: 'strings', value: 'ID=DIR', description: 'dataset and its folder; may be repeated' },
    split: {
      type: 'string',
      value: 'NAME',
      choices: ['train', 'valid', 'test', 'all'],
      default: 'test',
      description: 'part of the datasets',
    },
    onError: {
      type: 'string',
      value: 'WHAT',
      choices: ['throw', 'skip'],
      default: 'throw',
      description: 'stop at a missing or broken file, or leave its row out and count it',
    },
    out: {
      type: 'string',
      value: 'DIR',
      default: 'runs/eval',
      description: 'folder of the results; a killed run goes on from it',
    },
    maxSamples: {
      type: 'number',
      value: 'N',
      integer: true,
      min: 1,
      description: 'take only the first N samples of each dataset',
    },
    maxNewTokens: {
      type: 'number',
      value: 'N',
      integer: true,
      min: 1,
      default: 512,
      description: 'tokens of an answer',
    },
    temperature: { type: 'number', value: 'T', min: 0, default: 0, description: '0 takes the likeliest token' },
    seed: {
      type: 'number',
      value: 'N',
      integer: true,
      min: 0,
      default: 42,
      description: 'seed of sampling and intervals',
    },
    resamples: {
      type: 'number',
      value: 'N',
      integer: true,
      min: 1,
      default: 1000,
      description: 'redraws of the bootstrap',
    },
    batchSize: {
      type: 'number',
      value: 'N',
      integer: true,
      min: 1,
      default: 16,
      description: 'prompts answered at a time',
    },
    ...runArguments,
  },
  run: async ({ args, input, output, signal }) => {
    const samples = await openSamples(args, input, output)
    const outDir = input.resolve(args.out)
    const { maxNewTokens, temperature, seed, resamples, batchSize } = args
    const results = await withPolicy(
      { ...args, folder: input.resolve(args.model) },
      output,
      async (policy, weighted) => {
        const { evaluate } = await import('@qoq-med/eval')
        return evaluate({
          policy,
          samples,
          outDir,
          sampling: { temperature, maxNewTokens, seed },
          fingerprint: weightFingerprint(weighted, args.device),
          seenSize: await seenSizeOf(policy.model),
          batchSize,
          intervals: { seed, resamples },
          config: {
            data: args.data,
            split: args.split,
            maxSamples: args.maxSamples ?? null,
            mropeRule: args.mropeRule,
            device: args.device,
          },
          versions: { '@qoq-med/cli': version, node: process.version },
          signal,
          onProgress: ({ done, total }) => output.progress(`Answered ${done} of ${total} samples`),
        })
      },
    )
    output.result(results, () => `${metricsTable(results.metrics)}\n\nReport: ${outDir}/report.md\n${researchNotice}`)
  },
})

interface SampleChoice {
  readonly data: readonly string[]
  readonly split: Split | 'all'
  readonly maxSamples: number | undefined
  readonly onError: 'throw' | 'skip'
}

async function openSamples(
  { data, split, maxSamples = Infinity, onError }: SampleChoice,
  input: CommandInput,
  output: CommandOutput,
): Promise<Sample[]> {
  if (data.length === 0) throw cliErrors.ARGUMENT_MISSING({ name: '--data ID=DIR', command: 'qoq eval' })
  const { openDataset } = await import('@qoq-med/data-climb')
  const opened = data.map(async value => {
    const [id = '', root = ''] = splitOnce(value, '=')
    if (id === '' || root === '') throw cliErrors.VALUE_INVALID({ name: '--data', value, expected: 'ID=DIR' })
    const { samples, problems } = await openDataset(id, { root: input.resolve(root), onError })
    if (problems.length > 0) output.note(`${id}: left out ${problems.length} rows with missing or broken files`)
    return samples.filter(sample => split === 'all' || sample.split === split).slice(0, maxSamples)
  })
  return (await Promise.all(opened)).flat()
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator)
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

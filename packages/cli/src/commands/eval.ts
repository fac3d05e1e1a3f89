import type { Sample, Split } from '@qoq-med/data-climb'
import type { CommandInput } from '../command-input.ts'
import type { CommandOutput } from '../command-output.ts'
import { defineCommand } from '../command.ts'
import { cliErrors } from '../errors.ts'
import { servingArguments, withPolicy } from '../local-policy.ts'
import { researchNotice } from '../research-notice.ts'
import { metricsTable } from './metrics.ts'
import { modelFolder } from '../model-folder.ts'
import { version } from '../version.ts'

/** `qoq eval`: a model against the samples of datasets. */
export const evalCommand = defineCommand({
  meta: {
    name: 'eval',
    description: "Evaluate a model on datasets: the paper's accuracy and macro-F1, box IoU, intervals, a report.",
    examples: [
      'qoq eval --model runs/demo/run/model --data mini_clinic_mri=data/clinic --data mini_clinic_ecg=data/clinic --out runs/eval',
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
      description: 'stop at a missing, broken or undecodable file, or leave its sample out, count and name it',
    },
    boxReaders: {
      type: 'string',
      value: 'WHO',
      choices: ['majority', 'one'],
      default: 'majority',
      description: 'whose boxes count where several readers drew some',
    },
    maxFailures: {
      type: 'number',
      value: 'SHARE',
      min: 0,
      max: 1,
      default: 0.05,
      description: 'with --on-error skip: stop when a larger share of the samples (and more than one) cannot be used',
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
      description: 'take N samples of each dataset, drawn by the seed and evenly by label',
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
      description: 'seed of sampling, intervals and the draw of --max-samples',
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
    ...servingArguments,
  },
  run: async ({ args, input, output, signal }) => {
    const samples = await openSamples(args, input, output)
    const outDir = input.resolve(args.out)
    const { maxNewTokens, temperature, seed, resamples, batchSize } = args
    const results = await withPolicy(
      { ...args, folder: await modelFolder(input.resolve(args.model)) },
      output,
      async (policy, answering) => {
        const { evaluate } = await import('@qoq-med/eval')
        return evaluate({
          policy,
          samples,
          outDir,
          sampling: { temperature, maxNewTokens, seed },
          fingerprint: answering.fingerprint(),
          seenSize: policy.model.seenSize,
          batchSize,
          intervals: { seed, resamples },
          onError: args.onError,
          maxFailureShare: args.maxFailures,
          config: {
            data: args.data,
            split: args.split,
            maxSamples: args.maxSamples ?? null,
            mropeRule: args.mropeRule,
            device: args.device,
          },
          versions: { '@qoq-med/cli': version, node: process.version },
          signal,
          onProgress: ({ done, total, failed }) =>
            output.progress(`Answered ${done} of ${total} samples${failed > 0 ? `, ${failed} left out` : ''}`),
        })
      },
    )
    if (results.failures.length > 0)
      output.note(`Left out ${results.failures.length} samples that cannot be used; the report names them`)
    output.result(results, () => `${metricsTable(results.metrics)}\n\nReport: ${outDir}/report.md\n${researchNotice}`)
  },
})

interface SampleChoice {
  readonly boxReaders: 'majority' | 'one'
  readonly seed: number
  readonly data: readonly string[]
  readonly split: Split | 'all'
  readonly maxSamples: number | undefined
  readonly onError: 'throw' | 'skip'
}

async function openSamples(
  { data, split, maxSamples, onError, boxReaders, seed }: SampleChoice,
  input: CommandInput,
  output: CommandOutput,
): Promise<Sample[]> {
  if (data.length === 0) throw cliErrors.ARGUMENT_MISSING({ name: '--data ID=DIR', command: 'qoq eval' })
  const { openDataset } = await import('@qoq-med/data-climb')
  const { drawSamples } = await import('@qoq-med/eval')
  const opened = data.map(async value => {
    const [id = '', root = ''] = splitOnce(value, '=')
    if (id === '' || root === '') throw cliErrors.VALUE_INVALID({ name: '--data', value, expected: 'ID=DIR' })
    const { samples, problems } = await openDataset(id, { root: input.resolve(root), onError, boxReaders })
    if (problems.length > 0) output.note(`${id}: left out ${problems.length} rows with missing or broken files`)
    const chosen = samples.filter(sample => split === 'all' || sample.split === split)
    return maxSamples === undefined ? chosen : drawSamples(chosen, maxSamples, { seed })
  })
  return (await Promise.all(opened)).flat()
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator)
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

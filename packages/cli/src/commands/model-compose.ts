import { defineCommand } from '../command.ts'
import { cliErrors } from '../errors.ts'
import { requireFile } from '../output-file.ts'

/** `qoq model compose`: the paper's model from its parts. */
export const composeCommand = defineCommand({
  meta: {
    name: 'compose',
    description: 'Put a Qwen2.5-VL folder, an ECG-JEPA checkpoint and a fresh projection together to one model.',
    examples: [
      'qoq model compose --base models/Qwen2.5-VL-7B-Instruct --ecg ecgjepa.pth models/qoq-start',
      'qoq model compose --base models/qwen --ecg ecgjepa.pth --ecg-tokens mean --max-pixels 524288 models/qoq-start',
    ],
  },
  args: {
    target: { type: 'positional', required: true, description: 'folder to write' },
    base: { type: 'string', value: 'DIR', required: true, description: 'folder of a Qwen2.5-VL model' },
    ecg: { type: 'string', value: 'FILE', required: true, description: 'ECG-JEPA checkpoint, .pth or .safetensors' },
    ecgTokens: {
      type: 'string',
      value: 'N',
      default: 'patches',
      description: 'positions that an ECG takes: patches (all), mean (one, as the release) or a number',
    },
    maxPixels: {
      type: 'number',
      value: 'N',
      integer: true,
      min: 784,
      description: "most pixels of a picture; the paper's limit is 524288 (default: as in the base)",
    },
    seed: { type: 'number', value: 'N', integer: true, min: 0, default: 0, description: 'seed of the projection' },
    force: { type: 'flag', description: 'replace a model that stands at the target' },
  },
  run: async ({ args, input, output }) => {
    const ecg = input.resolve(args.ecg)
    await requireFile(ecg, 'checkpoint')
    const { composeModel } = await import('@qoq-med/model')
    output.progress(`Composing ${args.target}`)
    const report = await composeModel(input.resolve(args.target), {
      base: input.resolve(args.base),
      ecg,
      ecgTokens: pooling(args.ecgTokens),
      seed: args.seed,
      replace: args.force,
      ...(args.maxPixels !== undefined && { maxPixels: args.maxPixels }),
    })
    const { parameters, ecgTokens } = report
    const total = parameters.base + parameters.ecg + parameters.projection
    output.result(
      report,
      () => `Wrote ${total.toLocaleString('en')} parameters to ${report.target}; an ECG takes ${ecgTokens} positions`,
    )
  },
})

function pooling(text: string): 'patches' | 'mean' | number {
  if (text === 'patches' || text === 'mean') return text
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1) return count
  throw cliErrors.VALUE_INVALID({ name: '--ecg-tokens', value: text, expected: 'patches, mean or a whole number' })
}

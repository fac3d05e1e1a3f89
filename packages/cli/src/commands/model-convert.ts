import { byteCount } from '../byte-size.ts'
import { defineCommand } from '../command.ts'
import { requireFile } from '../output-file.ts'

const elementTypes = { f32: 'F32', f16: 'F16', bf16: 'BF16' } as const

/** `qoq model convert`: the same weights in another format. */
export const convertCommand = defineCommand({
  meta: {
    name: 'convert',
    description: 'Write a checkpoint in another format: whole, or not at all.',
    examples: [
      'qoq model convert model.gguf models/smollm2',
      'qoq model convert runs/demo/run/model demo-bf16 --dtype bf16 --shard-size 2GB',
      'qoq model convert ecgjepa.pth ecgjepa.safetensors',
      'qoq model convert models/base merged --adapter runs/lora/adapter',
    ],
  },
  args: {
    source: { type: 'positional', required: true, description: 'model folder, .gguf, .pth, .pt or .safetensors file' },
    target: {
      type: 'positional',
      required: true,
      description: 'folder of a model, or .safetensors file of bare tensors',
    },
    dtype: {
      type: 'string',
      value: 'TYPE',
      choices: ['f32', 'f16', 'bf16'],
      description: 'element type of all weights (default: as they are; quantised ones become f32)',
    },
    shardSize: { type: 'string', value: 'SIZE', description: 'most bytes per file, such as 500MB or 2GB' },
    adapter: { type: 'string', value: 'DIR', description: 'a LoRA adapter of PEFT to merge into the model' },
    force: { type: 'flag', description: 'replace a model that stands at the target' },
  },
  run: async ({ args, input, output }) => {
    const { convertModel, isTensorFile } = await import('@qoq-med/model')
    const [source, target] = [input.resolve(args.source), input.resolve(args.target)]
    if (isTensorFile(source) || source.endsWith('.gguf')) await requireFile(source, 'checkpoint')
    const report = await convertModel(source, target, {
      replace: args.force,
      ...(args.dtype && { dtype: elementTypes[args.dtype] }),
      ...(args.shardSize && { maxShardBytes: byteCount('--shard-size', args.shardSize) }),
      ...(args.adapter && { adapter: input.resolve(args.adapter) }),
    })
    const { tensors, parameters } = report
    output.result(report, () => `Wrote ${tensors} tensors, ${parameters.toLocaleString('en')} parameters, to ${target}`)
  },
})

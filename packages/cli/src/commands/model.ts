import { z } from 'zod'
import type { CommandInput } from '../command-input.ts'
import { defineCommand, defineGroup } from '../command.ts'
import { complete } from '../complete.ts'
import { runArguments, servingArguments, withPolicy, type OpenPolicyOptions } from '../local-policy.ts'
import { modelFolder } from '../model-folder.ts'
import { MessagesFile, readMessages } from '../media-files.ts'
import { requireFile, writeWhole } from '../output-file.ts'
import { cacheCommand } from './model-cache.ts'
import { composeCommand } from './model-compose.ts'
import { convertCommand } from './model-convert.ts'
import { infoCommand } from './model-info.ts'
import { listCommand } from './model-list.ts'
import { pullCommand } from './model-pull.ts'
import { removeCommand } from './model-remove.ts'

const folder = {
  type: 'positional',
  required: true,
  description: 'model folder (config.json, weights, tokenizer.json), or OWNER/NAME of what was pulled',
} as const

/** `qoq model generate`: one answer to a list of messages. */
const generateCommand = defineCommand({
  meta: {
    name: 'generate',
    description: 'Answer a conversation; pictures and ECGs are paths in the messages file.',
    examples: [
      'qoq model generate runs/demo/run/model --messages messages.json --max-new-tokens 64 --json',
      `echo '[{"role":"user","content":[{"type":"ecg","ecg":"E00001.hea"},{"type":"text","text":"Which rhythm?"}]}]' > messages.json; qoq model generate DIR --messages messages.json`,
    ],
  },
  args: {
    dir: folder,
    messages: { type: 'string', value: 'FILE', required: true, description: 'JSON list of { role, content }' },
    maxNewTokens: {
      type: 'number',
      value: 'N',
      integer: true,
      min: 1,
      default: 512,
      description: 'tokens of the answer',
    },
    temperature: { type: 'number', value: 'T', min: 0, default: 0, description: '0 takes the likeliest token' },
    topP: {
      type: 'number',
      value: 'P',
      min: 0,
      max: 1,
      default: 1,
      description: 'share of probability that is drawn from',
    },
    seed: { type: 'number', value: 'N', integer: true, min: 0, default: 0, description: 'same seed, same answer' },
    ...servingArguments,
  },
  run: async ({ args, input, output, signal }) => {
    const messages = await input.readJsonFile(args.messages, MessagesFile, 'messages file')
    const { maxNewTokens, temperature, topP, seed } = args
    const conversation = await readMessages(messages, input)
    const answer = await withPolicy(
      { ...args, folder: await modelFolder(args.dir, input), signal },
      output,
      async policy => {
        const prompt = policy.model.encode(conversation)
        const { text, tokenIds, logprobs, finish } = await complete(
          policy,
          { prompt, maxNewTokens, temperature, topP, seed },
          signal,
        )
        return { text, tokens: tokenIds, logprobs, prompt_tokens: prompt.tokenIds.length, finish }
      },
    )
    output.result(answer, () => answer.text)
  },
})

const tensorFiles = {
  inputs: { type: 'string', value: 'FILE', required: true, description: 'safetensors with the inputs' },
  out: { type: 'string', value: 'FILE', required: true, description: 'safetensors to write' },
} as const

/** `qoq model logits`: a forward pass over given tokens. */
const logitsCommand = defineCommand({
  meta: {
    name: 'logits',
    description: 'Run a model over a batch of token ids and media as transformers would: logits and position ids.',
    examples: ['qoq model logits runs/demo/run/model --inputs batch.safetensors --out logits.safetensors'],
  },
  args: { dir: folder, ...tensorFiles, ...runArguments },
  run: async ({ args, input, output }) => {
    const files = { inputs: input.resolve(args.inputs), out: input.resolve(args.out) }
    await requireFile(files.inputs, 'inputs file')
    const { writeLogits } = await import('@qoq-med/model')
    await withPolicy({ ...args, folder: await modelFolder(args.dir, input) }, output, policy =>
      writeWhole(files.out, out => writeLogits(policy, { ...files, out })),
    )
    output.result({ out: files.out }, () => `Wrote logits and position_ids to ${files.out}`)
  },
})

/** `qoq model embed`: the encoders alone. */
const embedCommand = defineCommand({
  meta: {
    name: 'embed',
    description: "Run a model's encoders alone: embeddings of pictures, clips and ECGs.",
    examples: [
      'qoq model embed runs/demo/run/model --inputs media.safetensors --out embeddings.safetensors',
      'qoq model embed ecgjepa.pth --inputs ecgs.safetensors --out embeddings.safetensors',
    ],
  },
  args: {
    dir: { ...folder, description: 'model folder, or a bare ECG-JEPA checkpoint (.pth, .safetensors)' },
    ...tensorFiles,
    config: {
      type: 'string',
      value: 'FILE',
      description: 'JSON with the sizes of a bare checkpoint (default: inferred)',
    },
    ...runArguments,
  },
  run: async ({ args, input, output }) => {
    const files = { inputs: input.resolve(args.inputs), out: input.resolve(args.out) }
    await requireFile(files.inputs, 'inputs file')
    const model = await modelFolder(args.dir, input)
    await writeWhole(files.out, async out => {
      if (checkpointSuffix.test(model)) return embedBare(model, { ...files, out }, args, input)
      const { writeEmbeddings } = await import('@qoq-med/model')
      return withPolicy({ ...args, folder: model }, output, policy => writeEmbeddings(policy, { ...files, out }))
    })
    output.result({ out: files.out }, () => `Wrote embeddings to ${files.out}`)
  },
})

const checkpointSuffix = /\.(pth|pt|safetensors)$/i

/** Sizes in the names of the official code; the encoders package checks their values. */
const Sizes = z.record(z.string(), z.unknown())

async function embedBare(
  checkpoint: string,
  files: { readonly inputs: string; readonly out: string },
  {
    config,
    threads,
    device,
  }: Required<Pick<OpenPolicyOptions, 'threads' | 'device'>> & { readonly config: string | undefined },
  input: CommandInput,
): Promise<void> {
  await requireFile(checkpoint, 'checkpoint')
  const sizes = config === undefined ? undefined : await input.readJsonFile(config, Sizes, 'sizes file')
  const { writeEcgEmbeddings } = await import('@qoq-med/model')
  const { createExecutor } = await import('@qoq-med/tensor')
  const executor = await createExecutor({ device, threads })
  try {
    await writeEcgEmbeddings(executor, { checkpoint, ...files, ...(sizes && { config: sizes }) })
  } finally {
    await executor.close()
  }
}

/** `qoq model …`: model folders. */
export const modelGroup = defineGroup(
  { name: 'model', description: 'Fetch models, look into their folders, convert and run them.' },
  [
    pullCommand,
    listCommand,
    removeCommand,
    infoCommand,
    convertCommand,
    composeCommand,
    generateCommand,
    logitsCommand,
    embedCommand,
    cacheCommand,
  ],
)

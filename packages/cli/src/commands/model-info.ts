import type { CheckpointInfo, FolderInfo, MemoryNeeds, MemoryPlan } from '@qoq-med/model'
import { byteText } from '../byte-size.ts'
import { defineCommand } from '../command.ts'
import { modelFolder } from '../model-folder.ts'
import { requireFile } from '../output-file.ts'
import { factTable } from '../text-table.ts'

/** `qoq model info`: what a checkpoint holds, without reading its weights. */
export const infoCommand = defineCommand({
  meta: {
    name: 'info',
    description: 'Say what a checkpoint holds and needs in memory, and check that its weights are those of its config.',
    examples: ['qoq model info runs/demo/run/model', 'qoq model info model.gguf', 'qoq model info ecgjepa.pth'],
  },
  args: {
    dir: {
      type: 'positional',
      required: true,
      description: 'model folder, OWNER/NAME of what was pulled, or a .gguf, .pth, .pt or .safetensors file',
    },
  },
  run: async ({ args, input, output }) => {
    const { checkpointInfo, folderInfo, isTensorFile } = await import('@qoq-med/model')
    const place = await modelFolder(args.dir, input)
    if (isTensorFile(place) || place.endsWith('.gguf')) await requireFile(place, 'checkpoint')
    const info = await (isTensorFile(place) ? checkpointInfo(place) : folderInfo(place))
    output.result(info, () => factTable('config' in info ? infoFacts(info) : fileFacts(info)))
  },
})

/** The facts of a folder that people look for, flat. */
function infoFacts(info: FolderInfo): object {
  const { name, family, config, parameters, dtypes, tokenizerSize, memoryBytes, answering } = info
  const { decoder, vision, ecg } = config
  return {
    name,
    family,
    modalities: ['text', ...(vision ? ['image', 'video'] : []), ...(ecg ? ['ecg'] : [])],
    hiddenSize: decoder.hiddenSize,
    numLayers: decoder.numLayers,
    numHeads: decoder.numHeads,
    numKvHeads: decoder.numKvHeads,
    vocabSize: decoder.vocabSize,
    maxPositions: decoder.maxPositions,
    tokenizerSize,
    ecgTokens: ecg?.pooling,
    parameters: counts(parameters),
    storedAs: counts(dtypes),
    ...Object.fromEntries(answering.map(plan => [`answering ${plan.weightsType}`, planText(plan)])),
    cachePerToken: byteText(memoryBytes.cachePerToken),
    memoryForTraining: trainingText(memoryBytes),
  }
}

/** What answering takes, and of what it is made up. */
function planText({ total, weights, encoders, cache, activations }: MemoryPlan): string {
  const parts = { weights, encoders, 'context of 2,048': cache, activations }
  const named = Object.entries(parts).filter(([, bytes]) => bytes > 0)
  return `${byteText(total)} (${named.map(([part, bytes]) => `${part} ${byteText(bytes)}`).join(', ')})`
}

/** The facts of a bare file of tensors. */
function fileFacts({ name, family, encoder, tensors, parameters, dtypes, memoryBytes }: CheckpointInfo): object {
  return {
    name,
    family,
    ...encoder,
    tensors,
    parameters: counts(parameters),
    storedAs: counts(dtypes),
    ...memoryFacts(memoryBytes),
  }
}

function memoryFacts(needs: MemoryNeeds): object {
  return { memoryForInference: byteText(needs.weights), memoryForTraining: trainingText(needs) }
}

function trainingText({ training }: MemoryNeeds): string {
  return `${byteText(training)}, and activations`
}

function counts(values: Readonly<Record<string, number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${value.toLocaleString('en')}`)
    .join(', ')
}

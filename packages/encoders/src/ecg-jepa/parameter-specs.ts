import type { ParameterSpec } from '../parameter-spec.ts'
import type { EcgJepaConfig } from './config.ts'
import { sincosPositions } from './sincos-positions.ts'

/** Every weight of the encoder under its official name (without `encoder.`). */
export function ecgJepaParameterSpecs(config: EcgJepaConfig): ParameterSpec[] {
  const { embedDim, depth, patchSize } = config
  const blocks = Array.from({ length: depth }, (_, block) => {
    const prefix = `encoder_blocks.blocks.${block}`
    return [
      ...normSpecs(`${prefix}.norm1`, embedDim),
      normalSpec(`${prefix}.attn.qkv.weight`, [3 * embedDim, embedDim]),
      ...linearSpecs(`${prefix}.attn.proj`, embedDim, embedDim),
      ...normSpecs(`${prefix}.norm2`, embedDim),
      ...linearSpecs(`${prefix}.mlp.fc1`, 4 * embedDim, embedDim),
      ...linearSpecs(`${prefix}.mlp.fc2`, embedDim, 4 * embedDim),
    ]
  })
  return [
    positionSpec(config),
    ...linearSpecs('W_P', embedDim, patchSize),
    ...blocks.flat(),
    ...normSpecs('norm', embedDim),
  ]
}

function positionSpec({ embedDim, numLeads, numPatches }: EcgJepaConfig): ParameterSpec {
  return {
    name: 'pos_embed',
    shape: [numLeads * numPatches, embedDim],
    init: { type: 'values', values: sincosPositions(numLeads, numPatches, embedDim) },
    isTrainable: false,
  }
}

function normalSpec(name: string, shape: readonly number[]): ParameterSpec {
  return { name, shape, init: { type: 'normal', std: 0.02 }, isTrainable: true }
}

function linearSpecs(name: string, outputs: number, inputs: number): ParameterSpec[] {
  return [normalSpec(`${name}.weight`, [outputs, inputs]), zeroSpec(`${name}.bias`, outputs)]
}

function zeroSpec(name: string, width: number): ParameterSpec {
  return { name, shape: [width], init: { type: 'zeros' }, isTrainable: true }
}

function normSpecs(name: string, width: number): ParameterSpec[] {
  return [
    { name: `${name}.weight`, shape: [width], init: { type: 'ones' }, isTrainable: true },
    zeroSpec(`${name}.bias`, width),
  ]
}

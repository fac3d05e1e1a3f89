import type { ParameterSpec } from '../parameter-spec.ts'
import type { EcgJepaConfig } from './config.ts'
import { sincosPositions } from './sincos-positions.ts'

/** Every weight of the encoder under its official name (without `encoder.`). */
export function ecgJepaParameterSpecs(config: EcgJepaConfig): ParameterSpec[] {
  const { embedDim, depth, numLeads, numPatches, patchSize } = config
  const blocks = Array.from({ length: depth }, (_, block) => {
    const prefix = `encoder_blocks.blocks.${block}`
    return [
      ...normSpecs(`${prefix}.norm1`, embedDim),
      { name: `${prefix}.attn.qkv.weight`, shape: [3 * embedDim, embedDim], init: 'normal' as const },
      ...linearSpecs(`${prefix}.attn.proj`, embedDim, embedDim),
      ...normSpecs(`${prefix}.norm2`, embedDim),
      ...linearSpecs(`${prefix}.mlp.fc1`, 4 * embedDim, embedDim),
      ...linearSpecs(`${prefix}.mlp.fc2`, embedDim, 4 * embedDim),
    ]
  })
  return [
    {
      name: 'pos_embed',
      shape: [numLeads * numPatches, embedDim],
      init: sincosPositions(numLeads, numPatches, embedDim),
    },
    ...linearSpecs('W_P', embedDim, patchSize),
    ...blocks.flat(),
    ...normSpecs('norm', embedDim),
  ]
}

function linearSpecs(name: string, outputs: number, inputs: number): ParameterSpec[] {
  return [
    { name: `${name}.weight`, shape: [outputs, inputs], init: 'normal' },
    { name: `${name}.bias`, shape: [outputs], init: 'zeros' },
  ]
}

function normSpecs(name: string, width: number): ParameterSpec[] {
  return [
    { name: `${name}.weight`, shape: [width], init: 'ones' },
    { name: `${name}.bias`, shape: [width], init: 'zeros' },
  ]
}

import type { ParameterInit, ParameterSpec } from '../parameter-spec.ts'
import type { EcgJepaConfig } from './config.ts'
import { sincosPositions } from './sincos-positions.ts'

const initialStd = 0.02

/**
 * Every parameter of the encoder, named as in the official checkpoint without `encoder.` and initialised as there:
 * normal with deviation 0.02, the projections that end a residual branch divided by √(2 · block).
 */
export function ecgJepaParameterSpecs(config: EcgJepaConfig): ParameterSpec[] {
  const { embedDim, numLeads, numPatches, patchSize } = config
  return [
    positionSpec(numLeads, numPatches, embedDim),
    ...linearSpecs('W_P', embedDim, patchSize),
    ...blockSpecs('encoder_blocks.blocks', embedDim, config),
    ...normSpecs('norm', embedDim),
  ]
}

/** The blocks that the encoder and the predictor are made of. */
export function blockSpecs(
  prefix: string,
  width: number,
  { depth, qkvBias = false }: { readonly depth: number; readonly qkvBias?: boolean },
): ParameterSpec[] {
  return Array.from({ length: depth }, (_, i) => {
    const block = `${prefix}.${i}`
    const residualStd = initialStd / Math.sqrt(2 * (i + 1))
    return [
      ...normSpecs(`${block}.norm1`, width),
      normalSpec(`${block}.attn.qkv.weight`, [3 * width, width]),
      ...(qkvBias ? [constantSpec(`${block}.attn.qkv.bias`, 3 * width, 'zeros')] : []),
      ...linearSpecs(`${block}.attn.proj`, width, width, residualStd),
      ...normSpecs(`${block}.norm2`, width),
      ...linearSpecs(`${block}.mlp.fc1`, 4 * width, width),
      ...linearSpecs(`${block}.mlp.fc2`, width, 4 * width, residualStd),
    ]
  }).flat()
}

/** A fixed table of positions, [numLeads * numPatches, width]. */
export function positionSpec(numLeads: number, numPatches: number, width: number): ParameterSpec {
  const init: ParameterInit = { type: 'values', values: sincosPositions(numLeads, numPatches, width) }
  return { name: 'pos_embed', shape: [numLeads * numPatches, width], init, isTrainable: false }
}

/** A parameter that starts normal. */
export function normalSpec(name: string, shape: readonly number[], std: number = initialStd): ParameterSpec {
  return { name, shape, init: { type: 'normal', std }, isTrainable: true }
}

/** A linear layer with bias. */
export function linearSpecs(name: string, outputs: number, inputs: number, std: number = initialStd): ParameterSpec[] {
  return [normalSpec(`${name}.weight`, [outputs, inputs], std), constantSpec(`${name}.bias`, outputs, 'zeros')]
}

/** A LayerNorm. */
export function normSpecs(name: string, width: number): ParameterSpec[] {
  return [constantSpec(`${name}.weight`, width, 'ones'), constantSpec(`${name}.bias`, width, 'zeros')]
}

function constantSpec(name: string, width: number, type: 'zeros' | 'ones'): ParameterSpec {
  return { name, shape: [width], init: { type }, isTrainable: true }
}

import { embeddingName, headName } from '../decoder/decoder.ts'
import type { PolicyModel } from '../policy/policy-model.ts'
import { blockSize, packedLayout, type PackedKind, type PackedLayout, type PlacedParameter } from './packed-layout.ts'

/** How the matrices of a frozen model are kept. */
export type PackedType = (typeof packedTypes)[number]

/** Every way to keep the matrices of a frozen model, the smallest first. */
export const packedTypes = ['int4', 'int8', 'float32'] as const

/** The packed parts of a model: its decoder with the vocabulary head, and its encoders. */
export interface PackedParts {
  readonly decoder: PackedLayout
  readonly encoders: PackedLayout
}

/** Lays a model's parameters out for its packed files. The token embedding stays in the checkpoint, from where rows are read. */
export function packedParts(
  { config, parameters }: Pick<PolicyModel, 'config' | 'parameters'>,
  type: PackedType,
): PackedParts {
  const head = `${headName(config.decoder)}.weight`
  const embedding = `${embeddingName}.weight`
  const inDecoder = parameters.filter(each => !isEncoder(each) && (each.name !== embedding || each.name === head))
  // Eight bits for the head where four are for the rest: it is what the logits are made of.
  const decoder = packedLayout(inDecoder, joinedProjections(inDecoder), parameter =>
    kindOf(parameter, type === 'int4' && parameter.name === head ? 'int8' : type),
  )
  const inEncoders = parameters.filter(isEncoder)
  const encoders = packedLayout(inEncoders, new Map(), each => kindOf(each, type === 'int4' ? 'int8' : type))
  return { decoder, encoders }
}

/** Queries and keys of a layer are one product, since both are turned. */
function joinedProjections(parameters: readonly PlacedParameter[]): Map<string, readonly string[]> {
  const queries = parameters.filter(({ name }) => name.includes('.self_attn.q_proj.'))
  return new Map(queries.map(({ name }) => [name, [name, name.replace('.q_proj.', '.k_proj.')]]))
}

/** Matrices are rounded; norms, biases, tables and kernels are not. */
function kindOf({ name, shape }: PlacedParameter, type: PackedKind): PackedKind {
  const isMatrix = shape.length === 2 && name.endsWith('.weight') && shape[1]! >= blockSize
  return isMatrix ? type : 'float32'
}

function isEncoder({ name }: PlacedParameter): boolean {
  return /^(visual|time_series_embedding)\./.test(name)
}

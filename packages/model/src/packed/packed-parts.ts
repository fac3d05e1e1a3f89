import type { ParameterSpec } from '@qoq-med/encoders'
import { embeddingName, headName } from '../decoder/decoder.ts'
import { codedTypes } from '../checkpoint/gguf-codes.ts'
import type { ModelConfig } from '../checkpoint/model-config.ts'
import { storedBlockSize, type BlockSize } from './block-size.ts'
import { packedLayout, type PackedForm, type PackedLayout, type PlacedParameter } from './packed-layout.ts'

/** How the matrices of a packed model are kept: rounded to four or eight bits or to bfloat16, widened, or in the codes of the checkpoint's own type. */
export type PackedType = (typeof packedTypes)[number]

/** Every way to keep the matrices of a packed model. */
export const packedTypes = ['int4', 'int8', 'bfloat16', 'float32', 'stored'] as const

/** The packed parts of a model: its decoder with the vocabulary head, and its encoders. */
export interface PackedParts {
  readonly decoder: PackedLayout
  readonly encoders: PackedLayout
}

/** A model to lay out; `stored` says in which types its checkpoint has the weights. */
export interface PackedSource {
  readonly config: ModelConfig
  readonly parameters: readonly ParameterSpec[]
  readonly stored?: StoredTypes | undefined
}

type StoredTypes = ReadonlyMap<string, { readonly dtype: string }>

/** Lays a model's parameters out for its packed files. The token embedding stays in the checkpoint, from where rows are read. */
export function packedParts({ config, parameters, stored }: PackedSource, type: PackedType): PackedParts {
  const head = `${headName(config.decoder)}.weight`
  const embedding = `${embeddingName}.weight`
  const inDecoder = parameters.filter(each => !isEncoder(each) && (each.name !== embedding || each.name === head))
  const inDecoderForm = (parameter: PlacedParameter): PackedForm => {
    if (type !== 'int4') return formOf(parameter, type, stored)
    return formOf(parameter, parameter.name === head || isValues(parameter) ? 'int8' : type, stored)
  }
  const inEncoderForm = (parameter: PlacedParameter): PackedForm =>
    encoderForm(formOf(parameter, type === 'int4' ? 'int8' : type, stored), parameter, type)
  return {
    decoder: packedLayout(inDecoder, joinedProjections(inDecoder, inDecoderForm), inDecoderForm),
    encoders: packedLayout(parameters.filter(isEncoder), new Map(), inEncoderForm),
  }
}

/** Queries and keys of a layer are one product, since both are turned, if they are kept alike. */
function joinedProjections(
  parameters: readonly PlacedParameter[],
  form: (parameter: PlacedParameter) => PackedForm,
): Map<string, readonly string[]> {
  const byName = new Map(parameters.map(each => [each.name, each]))
  const joined = parameters.flatMap((query): [string, readonly string[]][] => {
    if (!query.name.includes('.self_attn.q_proj.')) return []
    const weights = ['q_proj', 'k_proj'].map(part => byName.get(query.name.replace(/q_proj\..*$/, `${part}.weight`))!) // every layer has both
    const [a, b] = weights.map(each => JSON.stringify(form(each)))
    return a === b ? [[query.name, [query.name, query.name.replace('.q_proj.', '.k_proj.')]]] : []
  })
  return new Map(joined)
}

/**
 * Where the rest has four bits these have eight, as the head has, which is what the logits are made of: of all matrices of a layer they
 * lose most by rounding, and where several queries share a head they are a hundredth of it (docs/log.md).
 */
function isValues({ name }: PlacedParameter): boolean {
  return name.endsWith('.self_attn.v_proj.weight')
}

/**
 * Of matrices in four bits: the fewer scales, the faster. Feed-forward layers are most of a model; of theirs, gate and up lose least by
 * rounding (docs/log.md).
 */
function int4BlockSize({ name }: PlacedParameter): BlockSize {
  if (/\.mlp\.(gate|up)_proj\./.test(name)) return 128
  return name.includes('.mlp.') ? 64 : 32
}

/** Matrices are rounded; norms, biases, tables and kernels are not. */
function formOf(parameter: PlacedParameter, type: PackedType, stored: StoredTypes | undefined): PackedForm {
  const { name, shape } = parameter
  const isMatrix = shape.length === 2 && name.endsWith('.weight') && shape[1]! >= storedBlockSize
  if (!isMatrix) return { kind: 'float32' }
  if (type === 'stored') return storedForm(stored?.get(name)?.dtype ?? 'F32')
  return type === 'int4' ? { kind: type, blockSize: int4BlockSize(parameter) } : { kind: type }
}

/** A tower beside a language model in codes is in half precision as a rule; widened, it would take more than that model. */
function encoderForm(form: PackedForm, parameter: PlacedParameter, type: PackedType): PackedForm {
  return type === 'stored' && form.kind === 'float32' ? formOf(parameter, 'int8', undefined) : form
}

/** Codes that the product takes are kept; other rounded types have between four and eight bits, and are rounded to eight. */
function storedForm(dtype: string): PackedForm {
  const coded = Object.hasOwn(codedTypes, dtype) ? codedTypes[dtype] : undefined
  if (coded) return { kind: coded.bits === 4 ? 'int4' : 'int8', isStored: true, hasCorrections: coded.hasCorrections }
  return { kind: dtype.startsWith('Q') ? 'int8' : 'float32' }
}

function isEncoder({ name }: PlacedParameter): boolean {
  return /^(visual|time_series_embedding)\./.test(name)
}

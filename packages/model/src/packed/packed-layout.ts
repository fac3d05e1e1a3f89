import { sizeOf } from '@qoq-med/tensor'
import { storedBlockSize, type BlockSize } from './block-size.ts'

/** How a matrix is kept: in blocks of weights that share a scale, in the upper halves of its floats, or as it is. */
export type PackedKind = 'int4' | 'int8' | 'bfloat16' | 'float32'

/** How a matrix is kept, and whether as the checkpoint has it. */
export interface PackedForm {
  readonly kind: PackedKind
  /** Weights that share a scale, where they are codes. Default 32, which is what stored codes have. */
  readonly blockSize?: BlockSize
  /** Takes codes and scales of the checkpoint as they are. Default false. */
  readonly isStored?: boolean
  readonly hasCorrections?: boolean
}

/** A range of the file. */
export interface PackedPlace {
  readonly offsetBytes: number
  readonly lengthBytes: number
}

/** One value of the file: a parameter, or several joined along their first axis. */
export interface PackedEntry {
  /** Parameters by their names here. */
  readonly names: readonly string[]
  /** Lengths of their first axes. */
  readonly rowCounts: readonly number[]
  readonly kind: PackedKind
  /** Weights that share a scale, where they are codes. */
  readonly blockSize: BlockSize
  /** [O, I] of a matrix that is rounded; of others their own shape. */
  readonly shape: readonly number[]
  /** The codes, or the values. */
  readonly values: PackedPlace
  /** float32 [O, blocks] of codes. */
  readonly scales?: PackedPlace
  /** float32 [O, blocks] that is added to the weights of a block, where the checkpoint's own type has minima. */
  readonly corrections?: PackedPlace
  /** Whether codes and scales are the checkpoint's own. */
  readonly isStored: boolean
}

/** Where the parameters of a model lie in a packed file. */
export interface PackedLayout {
  /** By `entryKey` of their names. */
  readonly entries: ReadonlyMap<string, PackedEntry>
  readonly lengthBytes: number
}

/** A parameter to place. */
export interface PlacedParameter {
  readonly name: string
  readonly shape: readonly number[]
}

/** Values begin at pages, so that the runtime can map them. */
const pageBytes = 4096

/** Bytes per element of the codes, or of the values. */
export const codeBytes: Readonly<Record<PackedKind, number>> = { int4: 0.5, int8: 1, bfloat16: 2, float32: 4 }

/** Whether weights are codes with scales. */
export function isCoded(kind: PackedKind): kind is 'int4' | 'int8' {
  return kind === 'int4' || kind === 'int8'
}

/** The key of parameters that are one value. */
export function entryKey(names: readonly string[]): string {
  return names.join('+')
}

/**
 * Places parameters in a file, in their order.
 *
 * @param joined parameters that are one product, by the name of their first; the others follow it
 * @param formOf how a matrix is kept; those of joined parameters are equal
 */
export function packedLayout(
  parameters: readonly PlacedParameter[],
  joined: ReadonlyMap<string, readonly string[]>,
  formOf: (parameter: PlacedParameter) => PackedForm,
): PackedLayout {
  const shapes = new Map(parameters.map(({ name, shape }) => [name, shape]))
  const followers = new Set([...joined.values()].flatMap(names => names.slice(1)))
  const entries = new Map<string, PackedEntry>()
  let end = 0
  const place = (lengthBytes: number): PackedPlace => {
    const offsetBytes = Math.ceil(end / pageBytes) * pageBytes
    end = offsetBytes + lengthBytes
    return { offsetBytes, lengthBytes }
  }
  for (const parameter of parameters) {
    if (followers.has(parameter.name)) continue
    const names = joined.get(parameter.name) ?? [parameter.name]
    const [, ...rest] = parameter.shape
    const rowCounts = names.map(name => shapes.get(name)![0]!) // joined parameters are among them
    const shape = [rowCounts.reduce((sum, rows) => sum + rows, 0), ...rest]
    const form = formOf(parameter)
    const { kind, blockSize = storedBlockSize, isStored = false } = form
    const places = placesOf(shape, { ...form, blockSize }, place)
    entries.set(entryKey(names), { names, rowCounts, kind, blockSize, shape, isStored, ...places })
  }
  return { entries, lengthBytes: end }
}

function placesOf(
  shape: readonly number[],
  { kind, blockSize, hasCorrections = false }: PackedForm & Pick<PackedEntry, 'blockSize'>,
  place: (lengthBytes: number) => PackedPlace,
): Pick<PackedEntry, 'values' | 'scales' | 'corrections'> {
  if (!isCoded(kind)) return { values: place(codeBytes[kind] * sizeOf(shape)) }
  const [outer, inner] = shape as readonly [number, number] // only matrices are rounded
  const blocks = Math.ceil(inner / blockSize)
  return {
    values: place(outer * blocks * blockSize * codeBytes[kind]),
    scales: place(4 * outer * blocks),
    ...(hasCorrections && { corrections: place(4 * outer * blocks) }),
  }
}

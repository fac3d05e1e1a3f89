import { initialValues, type ParameterSpec } from '@qoq-med/encoders'
import { nearestName } from '@qoq-med/errors'
import { modelErrors } from '../errors.ts'
import { counterStream } from '../generation/counter-random.ts'

/** Settings of low-rank adaptation (Hu et al. 2021), as PEFT names them. */
export interface LoraOptions {
  /** r: rows of A and columns of B. */
  readonly rank: number
  /** The update is scaled by alpha / rank. */
  readonly alpha: number
  /** Chance that an input of an adapter is left out in a training pass, in [0, 1). Default 0. */
  readonly dropout?: number
  /**
   * Linear layers that are adapted: whole module names with `*` for anything, or their last part as in PEFT (`q_proj`).
   * Default: all of the decoder.
   */
  readonly targets?: readonly string[]
}

/** One adapted layer: y = x Wᵀ + scale · (x Aᵀ) Bᵀ. */
export interface LoraTarget {
  /** Name of W [outputs, inputs] in the checkpoint. */
  readonly weight: string
  /** Name of A [rank, inputs]. */
  readonly down: string
  /** Name of B [outputs, rank]. */
  readonly up: string
  readonly inputs: number
  readonly outputs: number
}

/** Which layers of a model are adapted, and how. */
export interface LoraAdapters {
  readonly options: Required<LoraOptions>
  /** alpha / rank */
  readonly scale: number
  /** By the name of W. */
  readonly targets: ReadonlyMap<string, LoraTarget>
}

const suffix = '.weight'
const decoderLayers = ['model.layers.*']

/**
 * Picks the layers to adapt. The token embedding and the vocabulary head are no targets.
 *
 * @param parameters of the model (`PolicyModel.parameters`)
 * @throws MODEL_LORA_INVALID for settings out of range, or a pattern that stands for no linear layer
 */
export function loraAdapters(parameters: readonly ParameterSpec[], options: LoraOptions): LoraAdapters {
  const { rank, alpha, dropout = 0, targets = decoderLayers } = options
  checkRange(rank, alpha, dropout)
  const linear = parameters.filter(isLinear)
  const modules = linear.map(({ name }) => name.slice(0, -suffix.length))
  if (targets.length === 0) throw fail('no layer is named')
  const idle = targets.find(pattern => !modules.some(module => isTarget(pattern, module)))
  if (idle !== undefined) {
    const nearest = nearestName(idle, [...new Set(modules.map(lastPart))])
    const problem = `no linear layer is named ${idle}${nearest === undefined ? '' : `; the nearest name is ${nearest}`}`
    throw fail(problem)
  }
  const chosen = linear.filter((_, i) => targets.some(pattern => isTarget(pattern, modules[i]!)))
  return {
    options: { rank, alpha, dropout, targets },
    scale: alpha / rank,
    targets: new Map(chosen.map(({ name, shape }) => [name, targetOf(name, shape)])),
  }
}

function checkRange(rank: number, alpha: number, dropout: number): void {
  if (!Number.isInteger(rank) || rank < 1) throw fail(`the rank is ${rank}; it must be a whole number from 1`)
  if (!(alpha > 0) || !Number.isFinite(alpha)) throw fail(`alpha is ${alpha}; it must be above 0`)
  if (!(dropout >= 0 && dropout < 1)) throw fail(`dropout is ${dropout}; it must be from 0 to below 1`)
}

function fail(problem: string): Error {
  return modelErrors.LORA_INVALID({ problem })
}

/** Tables that are looked up, and the head, whose product is never whole in memory, have no adapter. */
function isLinear({ name, shape, isTrainable }: ParameterSpec): boolean {
  const isTable = name === 'model.embed_tokens.weight' || name === 'lm_head.weight'
  return isTrainable && shape.length === 2 && name.endsWith(suffix) && !isTable
}

function targetOf(weight: string, shape: readonly number[]): LoraTarget {
  const module = weight.slice(0, -suffix.length)
  const [outputs, inputs] = shape as [number, number] // two axes, as isLinear asks
  return { weight, down: `${module}.lora_A.weight`, up: `${module}.lora_B.weight`, inputs, outputs }
}

function isTarget(pattern: string, module: string): boolean {
  if (!pattern.includes('*')) return module === pattern || module.endsWith(`.${pattern}`)
  const escaped = pattern.split('*').map(part => part.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
  return new RegExp(`^${escaped.join('.*')}$`).test(module)
}

function lastPart(module: string): string {
  return module.slice(module.lastIndexOf('.') + 1)
}

/**
 * The parameters of the adapters, begun as PEFT does: A uniform within ±1 / sqrt(inputs) (Kaiming with a = sqrt(5)), B zero, so
 * that an adapted model starts as its base.
 */
export function loraParameterSpecs({ options: { rank }, targets }: LoraAdapters): ParameterSpec[] {
  return [...targets.values()].flatMap(({ down, up, inputs, outputs }): ParameterSpec[] => [
    { name: down, shape: [rank, inputs], init: { type: 'uniform', bound: 1 / Math.sqrt(inputs) }, isTrainable: true },
    { name: up, shape: [outputs, rank], init: { type: 'zeros' }, isTrainable: true },
  ])
}

/** Draws the factors that adapters begin with. */
export function initialFactors(adapters: LoraAdapters, seed: number): { weights: (name: string) => Float32Array } {
  const drawn = loraParameterSpecs(adapters).map(
    (spec, i) => [spec.name, initialValues(spec, counterStream(seed, i))] as const,
  )
  const factors = new Map(drawn)
  return { weights: name => factors.get(name)! } // every factor has one
}

import type { OrtExecutor } from '@qoq-med/tensor'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPackedModel } from '../src/folder/packed-model.ts'
import type { PackedType } from '../src/packed/packed-parts.ts'
import { LocalPolicy } from '../src/policy/local-policy.ts'
import { loadModel } from '../src/folder/model-weights.ts'
import type { Completion, GenerateRequest } from '../src/generation/generate-request.ts'
import type { Policy } from '../src/policy/policy.ts'
import type { MropeRule } from '../src/architectures/qwen2.5-vl/positions.ts'
import { largestDifference } from './oracle-cases.ts'

/** A policy over a model folder, for inference. */
export async function openPolicy(
  executor: OrtExecutor,
  folder: string,
  mropeRule: MropeRule = 'legacy',
): Promise<LocalPolicy> {
  const { model, store } = await loadModel(folder, { trainable: () => false, mropeRule })
  return new LocalPolicy({ model, weights: name => store.weights(name), executor })
}

/** Where a model's weights are while it answers: in memory, or packed on disk in a cache of its own. */
export const weightPlaces = ['in memory', 'packed'] as const

/** Opens a model folder as a policy, does some work with it, and closes all. */
export async function withModel<Value>(
  executor: OrtExecutor,
  { folder, place, mropeRule = 'legacy', weightsType = 'float32' }: ModelPlace,
  work: (policy: LocalPolicy) => Promise<Value>,
): Promise<Value> {
  if (place === 'in memory') {
    const policy = await openPolicy(executor, folder, mropeRule)
    return work(policy).finally(() => policy.close())
  }
  const cache = await mkdtemp(join(tmpdir(), 'packed-'))
  const packed = await openPackedModel(folder, { mropeRule, weightsType, cache: { folder: cache } })
  const policy = new LocalPolicy({ packed, executor })
  return work(policy).finally(async () => {
    await policy.close()
    await packed.close()
    await rm(cache, { recursive: true })
  })
}

interface ModelPlace {
  readonly folder: string
  readonly place: (typeof weightPlaces)[number]
  readonly mropeRule?: MropeRule
  readonly weightsType?: PackedType
}

/** The finished answers, sample after sample, request after request. */
export async function answersOf(policy: Policy, requests: readonly GenerateRequest[]): Promise<Completion[]> {
  const found: Completion[][] = requests.map(() => [])
  for await (const event of policy.generate(requests)) {
    if (event.type === 'sample-end') found[event.request]![event.sample] = event.completion
  }
  return found.flat()
}

/**
 * Largest difference of the log-probabilities of a greedy answer to the reference's. The tokens may leave the reference
 * where it was not sure itself (a margin of 1e-3 or less) and are compared up to there; else the answer is Infinity.
 */
export function greedyError(
  got: Completion,
  want: { readonly ids: Int32Array; readonly logprobs: Float32Array; readonly margins: Float32Array },
): number {
  const different = got.tokenIds.findIndex((id, i) => id !== want.ids[i])
  if (different >= 0 && want.margins[different]! > 1e-3) return Infinity
  const equal = different < 0 ? got.tokenIds.length : different
  return largestDifference(got.logprobs.subarray(0, equal), want.logprobs.subarray(0, equal))
}

/** Row `at` of an array that is `rows` long in its first axis. */
export function rowOf<Values extends Int32Array | Float32Array>(values: Values, at: number, rows: number): Values {
  const width = values.length / rows
  return values.subarray(at * width, (at + 1) * width) as Values // a view has its array's type
}

export { textPrompt } from './prompts.ts'

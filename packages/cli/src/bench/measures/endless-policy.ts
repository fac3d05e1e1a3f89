import { loadFrozenModel, LocalPolicy, openPackedModel } from '@qoq-med/model'
import { createOrtExecutor } from '@qoq-med/tensor'

/** How a policy is made whose answers never end by themselves. */
export interface EndlessPolicyOptions {
  readonly threads: number
  readonly gguf: string
  /** As of `qoq serve --weights`. */
  readonly weightsType: 'float32' | 'int4' | 'stored'
}

/** A policy, and what ends it. */
export interface EndlessPolicy {
  readonly policy: LocalPolicy
  readonly close: () => Promise<void>
}

/** Opens a policy whose answers all have as many tokens as are asked for. */
export async function openEndlessPolicy({ threads, gguf, weightsType }: EndlessPolicyOptions): Promise<EndlessPolicy> {
  const executor = await createOrtExecutor({ threads })
  const endless = { endTokenIds: new Set<number>() }
  if (weightsType === 'float32') {
    const { model, weights } = await loadFrozenModel(gguf)
    const frozen = { weights, weightsVersion: 'frozen' } as const
    const policy = new LocalPolicy({ model: { ...model, ...endless }, ...frozen, executor })
    return { policy, close: async () => closeAll(policy, executor) }
  }
  const packed = await openPackedModel(gguf, { weightsType })
  const policy = new LocalPolicy({ packed: { ...packed, model: { ...packed.model, ...endless } }, executor })
  return { policy, close: async () => closeAll(policy, executor, packed) }
}

async function closeAll(...parts: readonly { close(): Promise<void> }[]): Promise<void> {
  for (const part of parts) await part.close()
}

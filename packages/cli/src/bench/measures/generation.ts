import { loadFrozenModel, LocalPolicy, type FrozenModel } from '@qoq-med/model'
import { createExecutor, executorDevices } from '@qoq-med/tensor'
import { z } from 'zod'
import { randomModel, textPrompt, tokenAt } from '../base/bench-model.ts'
import { DecoderSizes } from '../base/bench-sizes.ts'
import type { Measurement } from '../base/measurement.ts'

const Options = z.object({
  threads: z.int(),
  device: z.enum(executorDevices).default('cpu'),
  /** Sizes of random weights; else the weights of `gguf`. */
  decoder: DecoderSizes.optional(),
  gguf: z.string().optional(),
  batch: z.int(),
  promptTokens: z.int(),
  newTokens: z.int(),
  weightsType: z.enum(['float32', 'float16', 'int4']).default('float32'),
})

/** Answers `batch` different prompts at once by `newTokens` greedy tokens each. */
export async function generation(options: unknown): Promise<Measurement> {
  const { threads, device, decoder, gguf, batch, promptTokens, newTokens, weightsType } = Options.parse(options)
  const { model, weights } = decoder ? frozen(decoder) : await loadFrozenModel(gguf ?? '')
  const executor = await createExecutor({ device, threads })
  const policy = new LocalPolicy({
    model: { ...model, endTokenIds: new Set() },
    weights,
    weightsType,
    weightsVersion: 'frozen',
    minBatch: batch === 1 ? 1 : 2,
    executor,
  })
  const vocabSize = decoder?.vocabSize ?? 2003 // any prompt does
  const requests = Array.from({ length: batch }, (_, i) => ({
    prompt: textPrompt(Int32Array.from({ length: promptTokens }, (_token, at) => tokenAt(i, at, vocabSize))),
    maxNewTokens: newTokens,
    temperature: 0,
  }))
  return {
    round: async () => {
      let units = 0
      for await (const event of policy.generate(requests)) units += Number(event.type === 'token')
      if (units !== batch * newTokens) throw new Error(`${units} tokens came, not ${batch * newTokens}`)
      return { units }
    },
    close: async () => {
      await policy.close()
      await executor.close()
    },
  }
}

function frozen(decoder: DecoderSizes): FrozenModel {
  const { model, store } = randomModel(decoder)
  return { model, weights: name => store.weights(name) }
}

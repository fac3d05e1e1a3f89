import { LocalPolicy, type ScoredSequence } from '@qoq-med/model'
import { createExecutor, executorDevices } from '@qoq-med/tensor'
import { createLearner, logprobPass } from '@qoq-med/trainer'
import { z } from 'zod'
import { randomModel, textPrompt, tokenAt } from '../base/bench-model.ts'
import { DecoderSizes } from '../base/bench-sizes.ts'
import type { Measurement } from '../base/measurement.ts'

const Options = z.object({
  threads: z.int(),
  device: z.enum(executorDevices).default('cpu'),
  decoder: DecoderSizes,
  /** Prompts, and answers to each. */
  batch: z.int(),
  samples: z.int(),
  promptTokens: z.int(),
  newTokens: z.int(),
})

/** The largest difference of a sampled token's log-probability between sampler and trainer; new samples every round. */
export async function logprobGap(options: unknown): Promise<Measurement> {
  const { threads, device, decoder, batch, samples, promptTokens, newTokens } = Options.parse(options)
  const { model, store } = randomModel(decoder)
  const executor = await createExecutor({ device, threads })
  const weights = (name: string): Float32Array => store.weights(name)
  const policy = new LocalPolicy({ model, weights, weightsVersion: 'frozen', executor })
  const learner = createLearner(executor, store, { weightDecay: 0 })
  const pass = logprobPass({ decoder: model.config.decoder, encoders: model.encoders })
  const prompts = Array.from({ length: batch }, (_, i) =>
    textPrompt(Int32Array.from({ length: promptTokens }, (_token, at) => tokenAt(i, at, decoder.vocabSize))),
  )
  let seed = 0
  return {
    round: async () => {
      seed++
      const requests = prompts.map(prompt => ({ prompt, samples, seed, maxNewTokens: newTokens }))
      const sequences: ScoredSequence[] = []
      const sampled: Float32Array[] = []
      for await (const event of policy.generate(requests)) {
        if (event.type !== 'sample-end') continue
        sequences.push({ prompt: prompts[event.request]!, completion: event.completion.tokenIds })
        sampled.push(Float32Array.from(event.completion.logprobs))
      }
      // All in one pass, as a training step packs them.
      const scored = await learner.evaluate(pass, sequences)
      const gaps = scored.flatMap((row, i) =>
        Array.from(row, (logprob, token) => Math.abs(logprob - sampled[i]![token]!)),
      )
      const value = Math.max(...gaps)
      return { value }
    },
    close: async () => {
      await learner.close()
      await policy.close()
      await executor.close()
    },
  }
}

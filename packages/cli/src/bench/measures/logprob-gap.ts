import { LocalPolicy } from '@qoq-med/model'
import { createExecutor, executorDevices } from '@qoq-med/tensor'
import { createLearner } from '@qoq-med/trainer'
import { z } from 'zod'
import { randomModel, textPrompt, tokenAt } from '../bench-model.ts'
import { DecoderSizes } from '../bench-sizes.ts'
import type { Measurement } from '../measurement.ts'

const Options = z.object({
  threads: z.int(),
  device: z.enum(executorDevices).default('cpu'),
  decoder: DecoderSizes,
  batch: z.int(),
  promptTokens: z.int(),
  newTokens: z.int(),
})

/** The largest difference of a sampled token's log-probability between sampler and trainer; new samples every round. */
export async function logprobGap(options: unknown): Promise<Measurement> {
  const { threads, device, decoder, batch, promptTokens, newTokens } = Options.parse(options)
  const { model, store } = randomModel(decoder)
  const executor = await createExecutor({ device, threads })
  const weights = (name: string): Float32Array => store.weights(name)
  const policy = new LocalPolicy({ model, weights, weightsVersion: 'frozen', executor })
  const learner = createLearner(executor, { decoder: model.config.decoder, encoders: model.encoders }, store, {
    weightDecay: 0,
    maxGradientNorm: 1,
    temperature: 1,
  })
  const prompts = Array.from({ length: batch }, (_, i) =>
    textPrompt(Int32Array.from({ length: promptTokens }, (_token, at) => tokenAt(i, at, decoder.vocabSize))),
  )
  let seed = 0
  return {
    round: async () => {
      seed++
      let value = 0
      for await (const event of policy.generate(prompts.map(prompt => ({ prompt, seed, maxNewTokens: newTokens })))) {
        if (event.type !== 'sample-end') continue
        const { tokenIds, logprobs } = event.completion
        const [scores] = await learner.score([{ prompt: prompts[event.request]!, completion: tokenIds }])
        logprobs.forEach((logprob, i) => (value = Math.max(value, Math.abs(logprob - scores![i]!))))
      }
      return { value }
    },
    close: async () => {
      await learner.close()
      await policy.close()
      await executor.close()
    },
  }
}

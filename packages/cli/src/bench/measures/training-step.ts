import { createExecutor, executorDevices, memoryModes } from '@qoq-med/tensor'
import { createLearner, policyObjective } from '@qoq-med/trainer'
import { z } from 'zod'
import { randomModel, textPrompt, tokenAt } from '../base/bench-model.ts'
import { DecoderSizes } from '../base/bench-sizes.ts'
import type { Measurement } from '../base/measurement.ts'

const Options = z.object({
  threads: z.int(),
  device: z.enum(executorDevices).default('cpu'),
  decoder: DecoderSizes,
  batch: z.int(),
  length: z.int(),
  memory: z.enum(memoryModes).default('fast'),
})

/** Forward, backward and AdamW of the clipped objective with a KL penalty, over `batch` sequences of `length` tokens. */
export async function trainingStep(options: unknown): Promise<Measurement> {
  const { threads, device, decoder, batch, length, memory } = Options.parse(options)
  const { model, store } = randomModel(decoder)
  const executor = await createExecutor({ device, threads })
  const learner = createLearner(executor, store, { weightDecay: 0.01, maxGradientNorm: 1, memory })
  const sequences = Array.from({ length: batch }, (_, i) => ({
    prompt: textPrompt(Int32Array.of(tokenAt(i, 0, decoder.vocabSize))),
    completion: Int32Array.from({ length: length - 1 }, (_token, at) => tokenAt(i, at + 1, decoder.vocabSize)),
  }))
  const expected = new Float32Array(length - 1).fill(-Math.log(decoder.vocabSize))
  const items = sequences.map((sequence, i) => ({
    ...sequence,
    oldLogprobs: expected,
    refLogprobs: expected,
    advantage: i % 2 === 0 ? 1 : -1,
    tokenWeight: 1 / (batch * (length - 1)),
  }))
  const loss = { clipRatioLow: 0.2, clipRatioHigh: 0.2, dualClip: undefined, klCoefficient: 0.04 }
  const objective = policyObjective({ decoder: model.config.decoder, encoders: model.encoders }, loss)
  return {
    round: async () => {
      const began = performance.now()
      await learner.accumulate(objective, items)
      const updating = performance.now()
      learner.update(1e-6)
      const ended = performance.now()
      return { parts: { gradient: (updating - began) / 1000, update: (ended - updating) / 1000 } }
    },
    close: async () => {
      await learner.close()
      await executor.close()
    },
  }
}

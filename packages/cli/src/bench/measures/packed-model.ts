import { LocalPolicy, openPackedModel, packedTypes } from '@qoq-med/model'
import { createOrtExecutor } from '@qoq-med/tensor'
import { z } from 'zod'
import { textPrompt, tokenAt } from '../base/bench-model.ts'
import type { Measurement, RoundFacts } from '../base/measurement.ts'

const Options = z.object({
  threads: z.int(),
  /** Folder of a checkpoint. */
  large: z.string(),
  weightsType: z.enum(packedTypes).default('int4'),
  /** What is measured: opening and loading, a prompt, tokens of `batch` answers at once, or a picture through the tower. */
  work: z.enum(['start', 'prefill', 'decode', 'picture']),
  batch: z.int().default(1),
  promptTokens: z.int().default(128),
  newTokens: z.int().default(8),
  /** Side of the picture in pixels. */
  side: z.int().default(756),
})

/** A model of any size with packed weights, which are packed before the first round if they are not yet. */
export async function packedModel(given: unknown): Promise<Measurement> {
  const { threads, large, weightsType, work, ...options } = Options.parse(given)
  const executor = await createOrtExecutor({ threads })
  const open = async (): Promise<{ policy: LocalPolicy; close: () => Promise<void> }> => {
    const packed = await openPackedModel(large, { weightsType })
    // Answers of random weights must not end by chance.
    const model = { ...packed.model, endTokenIds: new Set<number>() }
    const policy = new LocalPolicy({ packed: { ...packed, model }, executor })
    const close = async (): Promise<void> => {
      await policy.close()
      await packed.close()
    }
    return { policy, close }
  }
  const opened = await open()
  await opened.close()
  const running = work === 'start' ? undefined : await open()
  let rounds = 0
  return {
    round: async () => {
      const { policy, close } = running ?? (await open())
      const facts = await rounding(policy, { ...options, work, round: rounds++ })
      if (!running) await close()
      return facts
    },
    close: async () => {
      await running?.close()
      await executor.close()
    },
  }
}

interface Work extends Omit<z.output<typeof Options>, 'threads' | 'large' | 'weightsType'> {
  readonly round: number
}

/** One round: of tokens, of a picture, or of a start. */
async function rounding(policy: LocalPolicy, work: Work): Promise<RoundFacts> {
  const { batch, promptTokens, newTokens, side, round } = work
  // Every round has a prompt of its own: one that begins like the last is not computed again.
  const promptOf = (length: number): ReturnType<typeof textPrompt> =>
    textPrompt(Int32Array.from({ length }, (_, at) => tokenAt(round, at, 2003)))
  if (work.work === 'picture') return picture(policy, side)
  if (work.work === 'decode') return decoding(policy, { batch, newTokens, prompt: promptOf(promptTokens) })
  const length = work.work === 'start' ? 2 : promptTokens
  await policy.logprobs([{ prompt: promptOf(length), completion: Int32Array.of(1) }])
  return { units: length }
}

async function picture(policy: LocalPolicy, side: number): Promise<RoundFacts> {
  const { vision } = policy.model.encoders
  if (!vision) throw new Error('The model has no vision tower.')
  const data = Uint8Array.from({ length: side * side * 3 }, (_, i) => (i * 7919) % 256)
  await policy.embed(vision.batch([vision.preprocess({ width: side, height: side, data })], 'exact'))
  return { units: 1 }
}

/** Its seconds are those from the first tokens to the last: the prompt is left out. */
async function decoding(
  policy: LocalPolicy,
  { batch, newTokens, prompt }: { batch: number; newTokens: number; prompt: ReturnType<typeof textPrompt> },
): Promise<RoundFacts> {
  let [tokens, began] = [0, 0]
  const request = { prompt, samples: batch, maxNewTokens: newTokens, temperature: 1, seed: 3 }
  for await (const event of policy.generate([request])) {
    if (event.type !== 'token') continue
    tokens++
    if (tokens === batch) began = performance.now()
  }
  return { units: tokens - batch, seconds: (performance.now() - began) / 1000 }
}

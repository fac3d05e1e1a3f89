import { createAdamW, createParameterStore } from '@qoq-med/tensor'
import { z } from 'zod'
import type { Measurement } from '../base/measurement.ts'

const Options = z.object({ threads: z.int(), parameters: z.int() })

/** One AdamW step over one parameter of `parameters` values. */
export function adamwStep(options: unknown): Measurement {
  const { threads, parameters } = Options.parse(options)
  const store = createParameterStore([{ name: 'w', shape: [parameters] }])
  store.weights('w').fill(0.1)
  store.gradient('w').fill(1e-3)
  const optimizer = createAdamW(store, { threads })
  return {
    round: () => {
      optimizer.step({ learningRate: 1e-6 })
      return undefined
    },
    close: () => optimizer.close(),
  }
}

import { z } from 'zod'
import type { SamplingOptions } from '../generation/sampler.ts'
import { parseConfig } from '../decoder/decoder-config.ts'

const GenerationJson = z.looseObject({
  do_sample: z.boolean().default(true),
  temperature: z.number().nonnegative().nullish(),
  top_k: z.int().nonnegative().nullish(),
  top_p: z.number().positive().max(1).nullish(),
  repetition_penalty: z.number().positive().nullish(),
  eos_token_id: z.union([z.int().nonnegative(), z.array(z.int().nonnegative())]).nullish(),
})

/** What a generation_config.json says. */
export interface GenerationConfig {
  readonly sampling: SamplingOptions
  /** Tokens that end an answer. */
  readonly endTokenIds: readonly number[]
}

/** Reads a generation_config.json; without sampling the temperature is 0. @throws MODEL_CONFIG_INVALID */
export function generationConfig(json: unknown, file = 'generation_config.json'): GenerationConfig {
  const config = parseConfig(GenerationJson, json, file)
  return {
    sampling: {
      temperature: config.do_sample ? (config.temperature ?? 1) : 0,
      ...(config.top_k != null && { topK: config.top_k }),
      ...(config.top_p != null && { topP: config.top_p }),
      ...(config.repetition_penalty != null && { repetitionPenalty: config.repetition_penalty }),
    },
    endTokenIds: [config.eos_token_id ?? []].flat(),
  }
}

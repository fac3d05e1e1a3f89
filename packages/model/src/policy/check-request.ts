import { requireOption } from '../generation/require-option.ts'
import { checkSamplingOptions } from '../generation/sampler.ts'
import type { GenerateRequest } from '../generation/generate-request.ts'

/** Refuses a request with an option out of its range. @throws MODEL_OPTION_INVALID */
export function checkRequest(request: GenerateRequest): void {
  checkSamplingOptions(request)
  const { samples = 1, maxNewTokens = 1, seed = 0, topLogprobs = 0, stop = [] } = request
  requireOption(Number.isInteger(samples) && samples >= 1, 'samples', samples, 'whole numbers from 1')
  requireOption(
    Number.isInteger(maxNewTokens) && maxNewTokens >= 1,
    'maxNewTokens',
    maxNewTokens,
    'whole numbers from 1',
  )
  requireOption(Number.isSafeInteger(seed) && seed >= 0, 'seed', seed, 'whole numbers from 0 to 2^53 − 1')
  requireOption(Number.isInteger(topLogprobs) && topLogprobs >= 0, 'topLogprobs', topLogprobs, 'whole numbers from 0')
  requireOption(!stop.includes(''), 'stop', '""', 'texts that are not empty')
}

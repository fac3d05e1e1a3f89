import type { Policy } from '@qoq-med/model'
import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { chatMessages } from '../chat/chat-messages.ts'
import { ChatRequest } from '../chat/chat-request.ts'
import { serverErrors } from '../errors.ts'
import type { GenerationSlots } from '../generation-slots.ts'
import { labelScorer } from '../label-scorer.ts'
import { requireAtMost, type ServerLimits } from '../limits.ts'
import type { DecodeMedia } from '../media/decoded-media.ts'
import type { FetchMedia } from '../media/remote-media.ts'
import { leaseFor } from '../request-lease.ts'
import { researchNotice } from '../research-notice.ts'

/** Completions of one prompt that are scored in one request. */
const maxCompletions = 256

/** The body of a request to score completions: a prompt as in chat completions, and what could follow it. */
const ScoreRequest = z.strictObject({
  model: z.string().nullish(),
  messages: ChatRequest.shape.messages,
  completions: z.array(z.string().min(1)).min(1),
})

interface ScoreOptions {
  readonly policy: Policy
  readonly slots: GenerationSlots
  readonly limits: ServerLimits
  readonly decode: DecodeMedia
  readonly fetchMedia: FetchMedia | undefined
}

/** POST /v1/score: log-probabilities of given completions, token by token, for evaluation by label scoring. */
export const scoreRoute: FastifyPluginAsync<ScoreOptions> = async (app, options) => {
  const { policy, slots, limits } = options
  app.post<{ Body: z.output<typeof ScoreRequest> }>(
    '/v1/score',
    { schema: { body: z.toJSONSchema(ScoreRequest, { target: 'draft-7', io: 'input' }) }, config: { scope: 'chat' } },
    async (http, reply) => {
      const { model, completions } = http.body
      const served = policy.info.name
      if ((model ?? served) !== served) throw serverErrors.MODEL_UNKNOWN({ served })
      const scorer = labelScorer(policy)
      if (!scorer) throw serverErrors.SCORE_UNSUPPORTED({})
      requireAtMost(maxCompletions, completions.length, 'completions')
      const characters = completions.reduce((sum, text) => sum + text.length, 0)
      requireAtMost(limits.textCharacters, characters, 'characters of completions')
      const lease = leaseFor(reply, slots, 1)
      const { messages: decoded, warnings } = await chatMessages(http.body, { ...options, signal: lease.signal })
      const rows = await scorer.tokenIds(completions)
      const logprobs = await scorer.logprobs(
        rows.map(completion => ({ prompt: decoded, completion })),
        { signal: lease.signal },
      )
      return {
        object: 'score',
        model: served,
        scores: rows.map((row, index) => ({
          index,
          token_ids: [...row],
          logprobs: [...logprobs[index]!], // one for each
        })),
        ...(warnings.length > 0 && { warnings }),
        notice: researchNotice,
      }
    },
  )
}

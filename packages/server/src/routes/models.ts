import type { Policy } from '@qoq-med/model'
import type { FastifyPluginAsync } from 'fastify'
import { serverErrors } from '../errors.ts'
import { researchNotice } from '../research-notice.ts'

/** GET /v1/models and /v1/models/NAME: the one model that is served, as OpenAI's list and alone. */
export const modelsRoute: FastifyPluginAsync<{ policy: Policy }> = async (app, { policy }) => {
  const created = Math.floor(Date.now() / 1000)
  const { name, modalities, maxPositions } = policy.info
  const metadata = { notice: researchNotice, modalities, max_positions: maxPositions }
  const model = { id: name, object: 'model', created, owned_by: 'qoq-med', metadata }
  app.get('/v1/models', async () => ({ object: 'list', data: [model] }))
  app.get<{ Params: { '*': string } }>('/v1/models/*', async ({ params }) => {
    if (params['*'] !== name) throw serverErrors.MODEL_UNKNOWN({ served: name })
    return model
  })
}

import type { Policy } from '@qoq-med/model'
import type { FastifyPluginAsync } from 'fastify'
import { serverErrors } from '../errors.ts'
import { researchNotice } from '../research-notice.ts'

/** GET /v1/models and /v1/models/NAME: the one model that is served, as OpenAI's list and alone. */
export const modelsRoute: FastifyPluginAsync<{ policy: Policy | undefined }> = async (app, { policy }) => {
  const created = Math.floor(Date.now() / 1000)
  const models = policy ? [describe(policy, created)] : []
  app.get('/v1/models', { config: { scope: 'any' } }, async () => ({ object: 'list', data: models }))
  app.get<{ Params: { '*': string } }>('/v1/models/*', { config: { scope: 'any' } }, async ({ params }) => {
    const model = models.find(({ id }) => id === params['*'])
    if (!model) throw serverErrors.MODEL_UNKNOWN({ served: policy?.info.name ?? 'none' })
    return model
  })
}

function describe({ info: { name, modalities, maxPositions } }: Policy, created: number) {
  const metadata = { notice: researchNotice, modalities, max_positions: maxPositions }
  return { id: name, object: 'model', created, owned_by: 'qoq-med', metadata }
}

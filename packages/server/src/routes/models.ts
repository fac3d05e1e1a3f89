import type { FastifyPluginAsync } from 'fastify'
import { researchNotice, type ServedPolicy } from '../served-policy.ts'

/** GET /v1/models: the one model that is served, as OpenAI's list. */
export const modelsRoute: FastifyPluginAsync<{ policy: ServedPolicy }> = async (app, { policy }) => {
  const created = Math.floor(Date.now() / 1000)
  const { name, modalities, maxPositions } = policy.info
  const metadata = { notice: researchNotice, modalities, max_positions: maxPositions }
  app.get('/v1/models', async () => ({
    object: 'list',
    data: [{ id: name, object: 'model', created, owned_by: 'qoq-med', metadata }],
  }))
}

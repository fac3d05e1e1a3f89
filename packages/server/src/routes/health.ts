import type { Policy } from '@qoq-med/model'
import type { FastifyPluginAsync } from 'fastify'
import type { GenerationSlots } from '../generation-slots.ts'

/** GET /health/live says that the process answers; GET /health/ready says which model it serves and how busy it is. */
export const healthRoute: FastifyPluginAsync<{ policy: Policy | undefined; slots: GenerationSlots }> = async (
  app,
  { policy, slots },
) => {
  app.get('/health/live', { config: { scope: 'public' } }, async () => ({ status: 'live' }))
  app.get('/health/ready', { config: { scope: 'public' } }, async () => ({
    status: 'ready',
    model: policy?.info.name ?? null,
    runningAnswers: slots.running,
    maxRunningAnswers: slots.limit,
  }))
}

import type { FastifyPluginAsync } from 'fastify'
import { serverErrors } from '../errors.ts'
import { listRuns, readEvaluation, readRunMetrics } from '../page/run-folders.ts'
import { createSamplePictures } from '../page/sample-pictures.ts'

/**
 * GET /v1/runs and /v1/evaluations: the training runs and evaluations of a folder, and what one of them holds; GET /v1/pictures:
 * what their answers are about, by the ids that those hand out.
 */
export const runsRoute: FastifyPluginAsync<{ folder: string }> = async (app, { folder }) => {
  const config = { scope: 'metrics' } as const
  const pictures = createSamplePictures(folder)
  // What a patient's picture shows is for those who may send one: a key for metrics is not enough.
  app.get<{ Params: { id: string } }>(
    '/v1/pictures/:id',
    { config: { scope: 'diagnose' } },
    async ({ params }, reply) => {
      const png = await pictures.read(params.id)
      if (!png) throw serverErrors.PICTURE_UNKNOWN({})
      return reply.headers({ 'cache-control': 'private, no-store' }).type('image/png').send(Buffer.from(png))
    },
  )
  for (const [kind, read] of [
    ['runs', readRunMetrics],
    ['evaluations', readEvaluation],
  ] as const) {
    app.get(`/v1/${kind}`, { config }, async () => ({ object: 'list', data: (await listRuns(folder))[kind] }))
    app.get<{ Params: { '*': string } }>(`/v1/${kind}/*`, { config }, async ({ params }) => {
      // The name is looked up in the list, and never becomes a path.
      const name = (await listRuns(folder))[kind].find(one => one === params['*'])
      if (name === undefined) throw serverErrors.ROUTE_UNKNOWN({ method: 'GET' })
      return read({ folder, pictures }, name)
    })
  }
}

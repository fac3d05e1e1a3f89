import type { FastifyPluginAsync } from 'fastify'
import { serverErrors } from '../errors.ts'
import { listRuns, readEvaluation, readRunMetrics } from '../page/run-folders.ts'

/** GET /v1/runs and /v1/evaluations: the training runs and evaluations of a folder, and what one of them holds. */
export const runsRoute: FastifyPluginAsync<{ folder: string }> = async (app, { folder }) => {
  const config = { scope: 'metrics' } as const
  for (const [kind, read] of [
    ['runs', readRunMetrics],
    ['evaluations', readEvaluation],
  ] as const) {
    app.get(`/v1/${kind}`, { config }, async () => ({ object: 'list', data: (await listRuns(folder))[kind] }))
    app.get<{ Params: { '*': string } }>(`/v1/${kind}/*`, { config }, async ({ params }) => {
      // The name is looked up in the list, and never becomes a path.
      const name = (await listRuns(folder))[kind].find(one => one === params['*'])
      if (name === undefined) throw serverErrors.ROUTE_UNKNOWN({ method: 'GET' })
      return read(folder, name)
    })
  }
}

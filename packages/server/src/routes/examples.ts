import { listDatasets } from '@qoq-med/data-climb'
import type { FastifyPluginAsync } from 'fastify'
import { serverErrors } from '../errors.ts'
import { examplePatients, type ExamplePatient } from '../page/example-patients.ts'

/** GET /v1/datasets: what may be asked by the id of a dataset; GET /v1/examples: simulated patients, and their files. */
export const examplesRoute: FastifyPluginAsync = async app => {
  const config = { scope: 'any' } as const
  const datasets = listDatasets().map(({ id, title, domain, labels, answerMode }) => ({
    id,
    title,
    domain,
    labels,
    answer_mode: answerMode,
  }))
  let made: Promise<readonly ExamplePatient[]> | undefined
  const examples = async (): Promise<readonly ExamplePatient[]> => (made ??= examplePatients())
  app.get('/v1/datasets', { config }, async () => ({ object: 'list', data: datasets }))
  app.get('/v1/examples', { config }, async () => ({
    object: 'list',
    data: (await examples()).map(({ files, ...example }) => ({ ...example, files: files.map(({ name }) => name) })),
  }))
  app.get<{ Params: { id: string; name: string } }>('/v1/examples/:id/:name', { config }, async ({ params }, reply) => {
    // Both are looked up in a list, and never become a path.
    const example = (await examples()).find(({ id }) => id === params.id)
    const file = example?.files.find(({ name }) => name === params.name)
    if (!file) throw serverErrors.ROUTE_UNKNOWN({ method: 'GET' })
    return reply.type('application/octet-stream').send(file.bytes)
  })
}

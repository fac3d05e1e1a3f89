import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { apiPage, type ApiDocument, type Operation } from '../reference/api-page.ts'
import { bodyExamples, formExamples } from '../reference/examples.ts'
import type { JsonSchema } from '../reference/schema-fields.ts'
import { documentHeaders } from './document-headers.ts'
import { researchNotice } from '../research-notice.ts'

/** What is said of a route beside what it was registered with. */
interface RouteWords {
  readonly summary: string
  /** Media types of an answer; default JSON. */
  readonly types?: readonly string[]
}

const stream = 'text/event-stream'
const json = 'application/json'

/** Every route but those of the page. */
const words = new Map<string, RouteWords>(
  Object.entries({
    'GET /health/live': { summary: 'That the process runs.' },
    'GET /health/ready': { summary: 'Which model is served, and how many answers are being written.' },
    'GET /v1/models': { summary: 'The one model.' },
    'GET /v1/models/{name}': { summary: 'The one model, by its name.' },
    'GET /metrics': { summary: 'What the server counts, for Prometheus.', types: ['text/plain'] },
    'GET /openapi.json': { summary: 'The routes of this server as an OpenAPI document.' },
    'GET /docs': { summary: 'The same as a page.', types: ['text/html'] },
    'POST /v1/chat/completions': { summary: "Answers to a conversation, in OpenAI's form.", types: [json, stream] },
    'POST /v1/diagnose': {
      summary: 'Files and labels in; labels, reasoning and boxes out.',
      types: [json, 'application/fhir+json', stream],
    },
    'POST /v1/diagnose/sr': {
      summary: 'The same as a DICOM structured report.',
      types: ['application/dicom'],
    },
    'POST /v1/view': { summary: 'The pixels and samples that a model is shown of files.' },
    'POST /v1/score': { summary: 'Log-probabilities of given completions, token by token.' },
    'GET /v1/datasets': { summary: 'Datasets that may be asked about by their id.' },
    'GET /v1/examples': { summary: 'Simulated patients.' },
    'GET /v1/examples/{id}/{name}': {
      summary: 'A file of a simulated patient.',
      types: ['application/octet-stream'],
    },
    'GET /v1/runs': { summary: 'Training runs of the folder that is shown.' },
    'GET /v1/runs/{name}': { summary: 'The metrics of a run.' },
    'GET /v1/evaluations': { summary: 'Evaluations of the folder that is shown.' },
    'GET /v1/evaluations/{name}': { summary: 'One evaluation.' },
    'GET /v1/pictures/{id}': {
      summary: 'A picture of an answer of a run or evaluation, by the address that those name.',
      types: ['image/png'],
    },
    'POST /v1/rewards': { summary: 'Scores of responses, row by row.' },
    'POST /v1/advantages': { summary: 'Advantages of a batch of rewards.' },
  }),
)

type Paths = Record<string, Record<string, Operation>>

/**
 * Collects the routes that are registered from then on.
 *
 * @returns a plugin with GET /openapi.json: the routes of this server as an OpenAPI 3.1 document, and GET /docs: the same as a page
 */
export function describeRoutes(app: FastifyInstance): FastifyPluginAsync {
  const paths: Paths = {}
  app.addHook('onRoute', ({ method, url, schema, config }) => {
    const path = url.replace('*', '{name}').replaceAll(/:(\w+)/g, '{$1}')
    for (const one of [method].flat()) {
      const said = words.get(`${one} ${path}`)
      if (said)
        (paths[path] ??= {})[one.toLowerCase()] = operation(`${one} ${path}`, said, {
          path,
          body: schema?.body,
          scope: config?.scope,
        })
    }
  })
  return async scope => {
    const config = { scope: 'any' } as const
    scope.get('/openapi.json', { config }, async () => document(paths))
    scope.get('/docs', { config }, async ({ protocol, host }, reply) => {
      const { html, contentSecurityPolicy } = apiPage(document(paths), `${protocol}://${host}`)
      return reply.headers(documentHeaders(contentSecurityPolicy)).type('text/html; charset=utf-8').send(html)
    })
  }
}

interface Registered {
  readonly path: string
  readonly body: unknown
  readonly scope: string | undefined
}

function operation(key: string, { summary, types = [json] }: RouteWords, { path, body, scope }: Registered): Operation {
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  const fields = formExamples[key]
  const form = fields && { 'multipart/form-data': { schema: { type: 'object' }, example: fields } }
  return {
    summary,
    ...(scope !== undefined &&
      !['any', 'public'].includes(scope) && { description: `A key needs the scope ${scope}.` }),
    ...(scope === 'public' && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: {
        required: true,
        content: { [json]: { schema: body as JsonSchema, example: bodyExamples[key] }, ...form },
      }, // as it was registered
    }),
    responses: {
      200: { description: 'The answer.', content: Object.fromEntries(types.map(type => [type, {}])) },
      default: { $ref: '#/components/responses/Error' },
    },
  }
}

function document(paths: Paths): ApiDocument {
  const error = {
    type: 'object',
    required: ['message', 'type', 'code', 'hint'],
    properties: Object.fromEntries(['message', 'type', 'code', 'hint'].map(name => [name, { type: 'string' }])),
  }
  return {
    openapi: '3.1.0',
    info: { title: 'QoQ-Med', version: '1', description: `${researchNotice}.` },
    // Where no key was made, none is asked for.
    security: [{}, { key: [] }],
    paths,
    components: {
      securitySchemes: { key: { type: 'http', scheme: 'bearer' } },
      responses: {
        Error: {
          description: 'An error, with a permanent code and a next step.',
          content: { [json]: { schema: { type: 'object', required: ['error'], properties: { error } } } },
        },
      },
    },
  }
}

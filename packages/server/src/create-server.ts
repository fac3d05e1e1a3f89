import { randomInt, randomUUID } from 'node:crypto'
import type { Policy } from '@qoq-med/model'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { bodyBytes } from './body-bytes.ts'
import { endOnClose } from './end-on-close.ts'
import { hintedError, httpStatus, requestErrorBody } from './error-response.ts'
import { serverErrors } from './errors.ts'
import { createGenerationSlots } from './generation-slots.ts'
import { defaultLimits, type ServerLimits } from './limits.ts'
import type { DecodeMedia } from './media/decoded-media.ts'
import { createRemoteMedia } from './media/remote-media.ts'
import { type LogEntry, logRequests } from './request-log.ts'
import { advantagesRoute } from './routes/advantages.ts'
import { chatCompletionsRoute } from './routes/chat-completions.ts'
import { diagnoseRoute } from './routes/diagnose.ts'
import { healthRoute } from './routes/health.ts'
import { metricsRoute } from './routes/metrics.ts'
import { modelsRoute } from './routes/models.ts'
import { describeRoutes } from './routes/openapi.ts'
import { rewardsRoute } from './routes/rewards.ts'
import { examplesRoute } from './routes/examples.ts'
import { pageRoute } from './routes/page.ts'
import { runsRoute } from './routes/runs.ts'
import { viewRoute } from './routes/view.ts'
import { readPage } from './page/page-files.ts'
import { scoreRoute } from './routes/score.ts'
import { allowOrigins } from './security/cors.ts'
import { authoriseRequests, type AccessOptions } from './security/authorise.ts'
import { keyedDecorator } from './listen.ts'
import { watchLoopDelay } from './loop-delay.ts'
import { createServerMetrics } from './server-metrics.ts'
import { researchNotice } from './research-notice.ts'
import { endStalled, refuseBroken } from './stalled-connections.ts'
import { createTraceExport } from './trace-export.ts'
import { keepLongTexts } from './media/long-texts.ts'
import { createWorkPool } from './work/work-pool.ts'
import { works as ownWorks, type BodyWork, type Works } from './work/works.ts'

/** What a server is made of. */
export interface ServerOptions extends AccessOptions {
  /** What answers; without it rewards and advantages alone are served. The server does not own it: close it after the server. */
  readonly policy?: Policy | undefined
  readonly limits?: Partial<ServerLimits>
  /** Is told of every request when it is over. An entry holds no body, address, query or header. */
  readonly log?: (entry: LogEntry) => void
  /** Gives the seed of a request that names none: a whole number from 0. Default: random. */
  readonly nextSeed?: () => number
  /**
   * Threads that decode files, score rewards and compute advantages, so that the thread that serves does not wait for them.
   * Default 0: all is done by the one thread, which is enough for a test.
   */
  readonly threads?: number | undefined
  /** MiB that the heap of such a thread may take. Default 2048. */
  readonly threadHeapMb?: number | undefined
  /** Hosts whose pictures a chat may name by their address, with a port where it is not the usual one. Default: none. */
  readonly mediaHosts?: readonly string[]
  /** Networks beside the internet in which such a host may lie, such as 10.1.0.0/16. */
  readonly mediaNetworks?: readonly string[]
  /** Folder of the built page; that of the package where it is missing. */
  readonly page?: string | undefined
  /** Folder with runs and evaluations to show. */
  readonly runs?: string | undefined
  /** Address of a collector of OpenTelemetry (OTLP over HTTP) that is sent a span for every request: ids and times alone. */
  readonly otlp?: string | undefined
  /** Milliseconds without a byte after which a half sent request, or an answer that its client does not read, is ended. Default 30,000. */
  readonly stalledAfterMs?: number
  /** Milliseconds that running answers get to finish after `close`; then they are ended. Default 10,000. */
  readonly closeGraceMs?: number
}

const maxSeed = 2 ** 32
/** Time for a request to arrive whole: ends connections that send a byte now and then. */
const requestTimeoutMs = 120_000

/**
 * Makes a server over a policy; `listen` or `app.inject` starts it, `app.close()` stops it.
 *
 * @throws SERVER_NETWORK_INVALID, SERVER_MEDIA_HOST_INVALID
 * @example
 * const app = createServer({ policy })
 * console.log(await listen(app, { port: 8080 }))
 */
export function createServer({
  policy,
  log = () => {},
  limits: given = {},
  nextSeed = () => randomInt(maxSeed),
  closeGraceMs = 10_000,
  stalledAfterMs = 30_000,
  threads = 0,
  threadHeapMb,
  mediaHosts: hosts = [],
  mediaNetworks: networks = [],
  page,
  runs,
  otlp,
  ...access
}: ServerOptions): FastifyInstance {
  const limits = { ...defaultLimits, ...given }
  const maxBytes = Math.floor((limits.fileCharacters * 3) / 4) // as of a file in base64
  const fetchMedia = hosts.length + networks.length > 0 ? createRemoteMedia({ hosts, networks, maxBytes }) : undefined
  const slots = createGenerationSlots(limits.runningAnswers)
  const pool =
    threads > 0 ? createWorkPool({ threads, ...(threadHeapMb !== undefined && { heapMb: threadHeapMb }) }) : undefined
  const works = pool?.works ?? ownWorks
  const app = fastify({
    bodyLimit: limits.bodyBytes,
    requestTimeout: requestTimeoutMs,
    clientErrorHandler: refuseBroken,
    genReqId: () => randomUUID(),
    // Bodies are taken as they are or refused: no text becomes a number, no field is dropped in silence.
    ajv: {
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        discriminator: true,
        strictTypes: false,
        verbose: true,
      },
    },
  })
  parseBodies(app, { limits, works: pool?.works })
  app.removeContentTypeParser('text/plain') // a browser may post it to any address without asking
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ 'x-request-id': request.id, 'x-qoq-notice': researchNotice, 'x-content-type-options': 'nosniff' })
  })
  answerErrors(app)
  const metrics = createServerMetrics()
  const traces = otlp === undefined ? undefined : createTraceExport({ url: otlp })
  const noteFailure = logRequests(app, entry => {
    metrics.note(entry)
    traces?.note(entry)
    log(entry)
  })
  endStalled(app, { stalledAfterMs, noteFailure })
  allowOrigins(app, access.allowedOrigins ?? [])
  authoriseRequests(app, access)
  app.decorate(keyedDecorator, access.keys !== undefined)
  const loopDelay = watchLoopDelay()
  app.addHook('onClose', async () => {
    loopDelay.close()
    await pool?.close()
    await traces?.close()
  })
  endOnClose(app, { abortAll: () => slots.abortAll(), closeGraceMs })

  void app.register(describeRoutes(app))
  void app.register(healthRoute, { policy, slots })
  void app.register(modelsRoute, { policy })
  void app.register(metricsRoute, { policy, metrics, slots, traces, loopDelay })
  if (policy) {
    const decode: DecodeMedia = async (files, options) => works.decode({ files, options })
    const answering = { policy, slots, limits, nextSeed, noteFailure, decode, fetchMedia, metrics }
    void app.register(chatCompletionsRoute, answering)
    void app.register(diagnoseRoute, answering)
    void app.register(scoreRoute, answering)
    void app.register(viewRoute, { limits, works })
    void app.register(examplesRoute)
    void app.register(pageRoute, { files: readPage(page) })
  }
  if (runs !== undefined) void app.register(runsRoute, { folder: runs })
  void app.register(rewardsRoute, { limits, works })
  void app.register(advantagesRoute, { limits, works })
  return app
}

/** Larger bodies are parsed beside the thread that serves, where there is another: crossing over takes longer than a small one does. */
const largeBodyBytes = 2 ** 18

/** Bodies are measured before they are parsed, and counted before they are validated. */
function parseBodies(
  app: FastifyInstance,
  { limits, works = ownWorks }: { readonly limits: ServerLimits; readonly works: Works | undefined },
): void {
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', async (request: FastifyRequest, payload: FastifyRequest['raw']) => {
    const bytes = await bodyBytes(payload, { limit: limits.bodyBytes, claimed: request.headers['content-length'] })
    const parse = bytes.length > largeBodyBytes ? works : ownWorks
    const { value, texts } = await parse.body({ bytes, kind: bodyKind(request.routeOptions.url), limits })
    keepLongTexts(value, texts)
    return value
  })
}

function bodyKind(url = ''): BodyWork['kind'] {
  if (url.startsWith('/v1/chat/') || url === '/v1/score') return 'messages'
  return url.startsWith('/v1/diagnose') || url === '/v1/view' ? 'files' : 'other'
}

/** The one place where an error becomes a response. */
function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((thrown, request, reply) => {
    const error = hintedError(thrown, { requestId: request.id, bodyBytes: request.routeOptions.bodyLimit })
    if (error.code === 'SERVER_BUSY') reply.header('retry-after', '1')
    return reply.code(httpStatus(error)).type('application/json').send(requestErrorBody(error, request.body))
  })
  app.setNotFoundHandler(({ method }) => {
    throw serverErrors.ROUTE_UNKNOWN({ method })
  })
}

import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { isHintedError } from '@qoq-med/errors'
import type { Policy } from '@qoq-med/model'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { diagnose, type Diagnosis } from '../diagnose/diagnose.ts'
import { DiagnoseRequest } from '../diagnose/diagnose-request.ts'
import { diagnoseTask } from '../diagnose/diagnose-task.ts'
import { diagnosisDocument } from '../diagnose/diagnosis-document.ts'
import { acceptForms } from '../diagnose/form-files.ts'
import { hintedError, requestErrorBody } from '../error-response.ts'
import { serverErrors } from '../errors.ts'
import type { GenerationSlots } from '../generation-slots.ts'
import { requireAtMost, type ServerLimits } from '../limits.ts'
import type { DecodedMedia, DecodeMedia, SentFile } from '../media/decoded-media.ts'
import { ecgOfJson, requireEcgs, requireRecordings } from '../media/ecg-json.ts'
import { dicomReport } from '../report/dicom-report.ts'
import { fhirBundle } from '../report/fhir-bundle.ts'
import { leaseFor } from '../request-lease.ts'
import type { NoteFailure } from '../request-log.ts'
import type { ServerMetrics } from '../server-metrics.ts'

interface DiagnoseRouteOptions {
  readonly policy: Policy
  readonly slots: GenerationSlots
  readonly limits: ServerLimits
  readonly nextSeed: () => number
  readonly noteFailure: NoteFailure
  readonly decode: DecodeMedia
  readonly metrics: ServerMetrics
}

type DiagnoseHttp = FastifyRequest<{ Body: DiagnoseRequest }>

const defaultMaxTokens = 1024
const fhirType = 'application/fhir+json'

/** POST /v1/diagnose: files and labels in, an answer out as JSON or FHIR; POST /v1/diagnose/sr: as a DICOM structured report. */
export const diagnoseRoute: FastifyPluginAsync<DiagnoseRouteOptions> = async (app, options) => {
  const filesOf = acceptForms(app, options.limits)
  const schema = { body: z.toJSONSchema(DiagnoseRequest, { target: 'draft-7', io: 'input' }) }
  const config = { scope: 'diagnose' } as const
  app.post<{ Body: DiagnoseRequest }>('/v1/diagnose', { schema, config }, async (http, reply) => {
    const run = await prepared(http, reply, filesOf(http), options)
    if (http.body.stream === true) return streamed(http, reply, run, options)
    const diagnosis = await run()
    if (!acceptsFhir(http.headers.accept)) return { ...diagnosisDocument(diagnosis), ...included(diagnosis, http.body) }
    const bundle = fhirBundle(diagnosis, { at: new Date(), nextId: randomUUID })
    return reply.type(`${fhirType}; charset=utf-8`).send(JSON.stringify(bundle))
  })
  app.post<{ Body: DiagnoseRequest }>('/v1/diagnose/sr', { schema, config }, async (http, reply) => {
    const run = await prepared(http, reply, filesOf(http), options)
    return reply.type('application/dicom').send(dicomReport(await run(), new Date()))
  })
}

type Run = (onText?: (text: string) => void) => Promise<Diagnosis>

/** Checks a request and decodes its files; what it gives asks the policy. */
async function prepared(
  http: DiagnoseHttp,
  reply: FastifyReply,
  files: readonly SentFile[],
  { policy, slots, limits, nextSeed, decode, metrics }: DiagnoseRouteOptions,
): Promise<Run> {
  const { body } = http
  const task = checkedTask(body, files, { policy, limits })
  const lease = leaseFor(reply, slots, 1)
  const start = performance.now()
  const media = await decoded(body, files, { limits, decode, window: task.window })
  const decodeMs = performance.now() - start
  return async onText => {
    const diagnosis = await diagnose(
      policy,
      { task, media },
      {
        id: http.id,
        seed: body.seed ?? nextSeed(),
        temperature: body.temperature ?? 0,
        maxNewTokens: body.max_tokens ?? Math.min(defaultMaxTokens, limits.newTokens),
        wantsProbabilities: body.probabilities ?? false,
        decodeMs,
        signal: lease.signal,
        ...(onText && { onText }),
      },
    )
    metrics.noteTokens(diagnosis.usage)
    return diagnosis
  }
}

function checkedTask(
  body: DiagnoseRequest,
  files: readonly SentFile[],
  { policy, limits }: Pick<DiagnoseRouteOptions, 'policy' | 'limits'>,
): ReturnType<typeof diagnoseTask> {
  const served = policy.info.name
  if ((body.model ?? served) !== served) throw serverErrors.MODEL_UNKNOWN({ served })
  const task = diagnoseTask(body)
  const { text, question, ecgs, max_tokens: maxTokens } = body
  if (files.length === 0 && !ecgs?.length && !text && !question)
    throw serverErrors.DIAGNOSE_TASK({ problem: 'files, an ECG or a text are missing' })
  requireAtMost(limits.files, files.length, 'files')
  requireAtMost(limits.textCharacters, (text?.length ?? 0) + (question?.length ?? 0), 'characters')
  requireAtMost(limits.newTokens, maxTokens ?? 0, 'tokens of an answer')
  requireEcgs(ecgs ?? [], limits)
  return task
}

async function decoded(
  { ecgs }: DiagnoseRequest,
  files: readonly SentFile[],
  {
    limits,
    decode,
    window,
  }: Pick<DiagnoseRouteOptions, 'limits' | 'decode'> & Pick<ReturnType<typeof diagnoseTask>, 'window'>,
): Promise<DecodedMedia> {
  const media = await decode(files, { window, maxPixels: limits.imagePixels })
  const shown = media.groups.flatMap(({ pictures }) => pictures)
  requireAtMost(limits.images, shown.length, 'pictures')
  requireRecordings(media.ecgs, limits)
  return { ...media, ecgs: [...media.ecgs, ...(ecgs ?? []).map(ecgOfJson)] }
}

/** Other documents of the same diagnosis: asking again would be another answer. A report that cannot be written is null. */
function included(diagnosis: Diagnosis, { include }: DiagnoseRequest): object {
  if (!include?.length) return {}
  const at = new Date()
  return {
    documents: {
      ...(include.includes('fhir') && { fhir: fhirBundle(diagnosis, { at, nextId: randomUUID }) }),
      ...(include.includes('dicom_sr') && { dicom_sr: reportOrNull(diagnosis, at) }),
    },
  }
}

function reportOrNull(diagnosis: Diagnosis, at: Date): string | null {
  try {
    return Buffer.from(dicomReport(diagnosis, at)).toString('base64')
  } catch (thrown) {
    if (isHintedError(thrown) && thrown.code === 'SERVER_REPORT_SOURCE') return null
    throw thrown
  }
}

/** Sends the text as it is written, then the document. */
function streamed(http: DiagnoseHttp, reply: FastifyReply, run: Run, options: DiagnoseRouteOptions): FastifyReply {
  const stream = new Readable({ read: () => {} })
  const send = (event: object): void => void stream.push(`data: ${JSON.stringify(event)}\n\n`)
  run(text => send({ type: 'text', text }))
    .then(diagnosis => send({ type: 'result', ...diagnosisDocument(diagnosis), ...included(diagnosis, http.body) }))
    .catch((thrown: unknown) => {
      options.noteFailure(http, thrown)
      const { bodyBytes } = options.limits
      send(requestErrorBody(hintedError(thrown, { requestId: http.id, bodyBytes }), http.body))
    })
    .finally(() => stream.push(null))
  return reply.type('text/event-stream; charset=utf-8').header('cache-control', 'no-cache').send(stream)
}

/** Whether a header names FHIR, other than to refuse it (`q=0`). */
function acceptsFhir(accept = ''): boolean {
  return accept.split(',').some(one => {
    const [type = '', ...parameters] = one.split(';').map(part => part.trim().toLowerCase())
    return type === fhirType && !parameters.some(parameter => /^q=0(\.0*)?$/.test(parameter))
  })
}

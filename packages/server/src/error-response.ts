import { type HintedError, isHintedError } from '@qoq-med/errors'
import type { FastifyError } from 'fastify'
import { z } from 'zod'
import { ChatRequest } from './chat/chat-request.ts'
import { DiagnoseRequest } from './diagnose/diagnose-request.ts'
import type { ErrorBody } from './error-body.ts'
import { withoutClientWords } from './client-words.ts'
import { serverErrors } from './errors.ts'
import { plainProblem } from './plain-problem.ts'

/** Packages whose errors say that their input is wrong; errors of all others are the server's own fault. */
const inputPackages: ReadonlySet<string> = new Set(['SERVER', 'MODEL', 'DATA', 'WFDB', 'ENCODERS', 'REWARDS', 'DRPO'])

/** The HTTP status of an error: its row's, or that of its package. */
export function httpStatus({ code, status }: Pick<HintedError, 'code' | 'status'>): number {
  return status ?? (inputPackages.has(code.split('_')[0] ?? '') ? 400 : 500)
}

/** The body that tells a client of an error in the work on its request, without words of the request. */
export function requestErrorBody(error: HintedError, request: unknown): ErrorBody {
  return errorBody(withoutWordsOf(error, request))
}

/** An error without words of the request that it arose from. */
export function withoutWordsOf(
  { code, message, hint, status }: HintedError,
  request: unknown,
): Pick<HintedError, 'code' | 'message' | 'hint' | 'status'> {
  // This package's own sentences name fields and limits alone; who works on bytes looks for their words itself.
  const isClean = code.startsWith('SERVER_') || request instanceof Uint8Array
  const said = (text: string): string => (isClean ? text : withoutClientWords(text, request, ownWords))
  return { code, status, message: said(message), hint: said(hint) }
}

/** The body that tells a client of an error; the next step is in the message, too, since most clients show nothing else. */
export function errorBody(error: Pick<HintedError, 'code' | 'message' | 'hint' | 'status'>): ErrorBody {
  const { code, message, hint } = error
  const status = httpStatus(error)
  const type = status === 429 ? 'rate_limit_error' : status >= 500 ? 'server_error' : 'invalid_request_error'
  return { error: { message: `${message} ${hint}`, type, code, hint } }
}

/** Gives any error that a request ended with a code; the cause of an unknown one stays inside. */
export function hintedError(
  thrown: unknown,
  { requestId, bodyBytes }: { readonly requestId: string; readonly bodyBytes: number },
): HintedError {
  if (isHintedError(thrown)) return thrown
  if (!isFastifyError(thrown)) return serverErrors.UNEXPECTED({ requestId }, { cause: thrown })
  if (thrown.validation !== undefined) return invalidRequest(thrown.validation)
  if (thrown.statusCode === 413) return serverErrors.BODY_TOO_LARGE({ limitBytes: bodyBytes })
  if (thrown.statusCode === 415) return serverErrors.MEDIA_TYPE({})
  if (thrown.statusCode === 400) return serverErrors.BODY_NOT_JSON({})
  return serverErrors.UNEXPECTED({ requestId }, { cause: thrown })
}

function isFastifyError(thrown: unknown): thrown is Partial<FastifyError> & Error {
  return thrown instanceof Error && ('statusCode' in thrown || 'validation' in thrown)
}

/**
 * Takes the innermost of a validator's complaints: a union complains about every alternative, and the alternative that
 * was meant got furthest. Names fields and what they must be, no values.
 */
function invalidRequest(problems: NonNullable<FastifyError['validation']>): HintedError {
  const [first, ...others] = problems
  if (first === undefined) return serverErrors.REQUEST_INVALID({ field: '', problem: 'does not fit' })
  const worst = others.reduce((a, b) => (depth(b.instancePath) > depth(a.instancePath) ? b : a), first)
  const { additionalProperty } = worst.params
  const path = ownNames(worst.instancePath.split('/').slice(1))
  if (typeof additionalProperty === 'string') {
    const known = knownFields(worst)
    const problem = `has a field that is not known here${known.length > 0 ? `; known are ${known.join(', ')}` : ''}`
    return serverErrors.REQUEST_INVALID({ field: path, problem })
  }
  return serverErrors.REQUEST_INVALID({ field: path, problem: plainProblem(worst) })
}

/** Fields of every request, and words of their values: names of this server's own. */
export const ownWords: ReadonlySet<string> = new Set([
  ...namesIn(z.toJSONSchema(ChatRequest, { target: 'draft-7', io: 'input' })),
  ...namesIn(z.toJSONSchema(DiagnoseRequest, { target: 'draft-7', io: 'input' })),
  'rows',
  'preset',
  'weights',
  'box_format',
  'estimator',
  'options',
  'stages',
  'rewards',
  'questionIds',
  'domains',
  'kl',
  'lengths',
  'baselines',
  'values',
  'id',
  'response',
  'answer',
  'labels',
  'aliases',
  'image',
  'boxes',
  'mask',
  'I',
  'II',
  'III',
  'aVR',
  'aVL',
  'aVF',
  'V1',
  'V2',
  'V3',
  'V4',
  'V5',
  'V6',
  'views',
  'width',
  'height',
  'rle',
  'modality',
  'transform',
  'from',
  'negativeLabels',
  'answerMode',
])

/** The names of a path, such as `messages.0.content`; one that is the client's own is withheld. */
export function ownNames(names: readonly string[]): string {
  return names.map(name => (/^\d+$/.test(name) || ownWords.has(name) ? name : '(withheld)')).join('.')
}

function knownFields(problem: object): string[] {
  const schema = 'parentSchema' in problem ? problem.parentSchema : undefined
  const properties = typeof schema === 'object' && schema !== null && 'properties' in schema ? schema.properties : {}
  return Object.keys(properties ?? {})
}

/** Names of properties and constants in a JSON schema. */
function namesIn(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return []
  const own =
    'properties' in schema && typeof schema.properties === 'object' ? Object.keys(schema.properties ?? {}) : []
  const constants = 'enum' in schema && Array.isArray(schema.enum) ? schema.enum.map(String) : []
  return [...own, ...constants, ...Object.values(schema).flatMap(namesIn)]
}

function depth(path: string): number {
  return path.split('/').length
}

import type { IncomingMessage } from 'node:http'
import { Busboy, type BusboyHeaders } from '@fastify/busboy'
import { isHintedError } from '@qoq-med/errors'
import { serverErrors } from '../errors.ts'
import { requireFlat } from '../body-counts.ts'
import type { ServerLimits } from '../limits.ts'
import type { MediaFile } from '../media/decoded-media.ts'
import { listOf } from '../json-values.ts'

/** A form: its fields as the JSON body would have them, and its files. */
export interface MultipartBody {
  readonly fields: Readonly<Record<string, unknown>>
  readonly files: readonly MediaFile[]
}

type FormLimits = Pick<ServerLimits, 'files' | 'uploadBytes' | 'bodyBytes' | 'nesting' | 'brackets'>

const maxFields = 300
const maxFieldNameBytes = 100
const numbers: ReadonlySet<string> = new Set(['temperature', 'seed', 'max_tokens'])
const lists: ReadonlySet<string> = new Set(['labels', 'include'])
const booleans: ReadonlySet<string> = new Set(['probabilities', 'stream'])

/**
 * Reads a form: files under any name; fields named as in the JSON body (`labels` and `include` as often as there are some), or all of them as
 * JSON in one field `request`.
 *
 * @throws SERVER_FORM_INVALID, SERVER_BODY_TOO_LARGE, SERVER_LIMIT_EXCEEDED, SERVER_BODY_NOT_JSON
 */
export async function multipartBody(request: IncomingMessage, limits: FormLimits): Promise<MultipartBody> {
  const { promise, resolve, reject } = Promise.withResolvers<MultipartBody>()
  const fields: [name: string, value: string][] = []
  const files: MediaFile[] = []
  let bytes = 0
  const fail = (error: Error): void => {
    request.unpipe()
    request.resume() // the rest is not kept
    reject(error)
  }
  const form = formParser(request, limits)
  form.on('field', (name, value, isNameCut, isValueCut) => {
    if (isNameCut || isValueCut) fail(serverErrors.BODY_TOO_LARGE({ limitBytes: limits.bodyBytes }))
    else fields.push([name, value])
  })
  form.on('file', (_name, stream, filename) => {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > limits.uploadBytes) fail(serverErrors.BODY_TOO_LARGE({ limitBytes: limits.uploadBytes }))
      else chunks.push(chunk)
    })
    stream.on('end', () => files.push({ place: '', name: filename || 'file', bytes: Buffer.concat(chunks) }))
  })
  form.on('filesLimit', () => fail(limitError(limits.files, 'files')))
  form.on('fieldsLimit', () => fail(limitError(maxFields, 'fields')))
  form.on('error', cause => fail(serverErrors.FORM_INVALID({}, { cause })))
  request.on('aborted', () => fail(serverErrors.CLIENT_GONE({})))
  form.on('finish', () => {
    try {
      const placed = files.map((file, at) => ({ ...file, place: `file ${at + 1}` }))
      resolve({ fields: bodyOf(fields, limits), files: placed })
    } catch (error) {
      reject(error)
    }
  })
  request.pipe(form)
  return promise
}

function formParser({ headers }: IncomingMessage, limits: FormLimits): InstanceType<typeof Busboy> {
  const { 'content-type': contentType = '' } = headers
  const given: BusboyHeaders = { ...headers, 'content-type': contentType }
  try {
    return new Busboy({
      headers: given,
      limits: {
        files: limits.files,
        fields: maxFields,
        fieldNameSize: maxFieldNameBytes,
        fieldSize: limits.bodyBytes,
        headerPairs: 20,
      },
      // A part without a name of a file is a field, whatever its type.
      isPartAFile: (_field, _type, name) => name !== undefined,
    })
  } catch (cause) {
    if (isHintedError(cause)) throw cause
    throw serverErrors.FORM_INVALID({}, { cause })
  }
}

function limitError(limit: number, what: string): Error {
  return serverErrors.LIMIT_EXCEEDED({ what, found: limit + 1, limit })
}

function bodyOf(fields: readonly (readonly [string, string])[], limits: FormLimits): Record<string, unknown> {
  const body = new Map<string, unknown>()
  for (const [name, value] of fields) {
    if (name === 'request') for (const [key, one] of Object.entries(jsonObject(value, limits))) body.set(key, one)
    else if (lists.has(name)) body.set(name, [...listOf(body.get(name)), value])
    else body.set(name, valueOf(name, value))
  }
  return Object.fromEntries(body)
}

/** What is no number stays a text, which the check of the body then refuses by the field's name. */
function valueOf(name: string, value: string): unknown {
  if (booleans.has(name)) return value === 'true' ? true : value === 'false' ? false : value
  if (!numbers.has(name) || value.trim() === '' || !Number.isFinite(Number(value))) return value
  return Number(value)
}

function jsonObject(text: string, limits: FormLimits): object {
  requireFlat(text, limits)
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {
    // said below
  }
  throw serverErrors.BODY_NOT_JSON({})
}

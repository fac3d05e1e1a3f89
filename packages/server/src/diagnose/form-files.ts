import type { FastifyInstance, FastifyRequest } from 'fastify'
import { requireFewFiles } from '../body-counts.ts'
import type { ServerLimits } from '../limits.ts'
import type { MediaFile, SentFile } from '../media/decoded-media.ts'
import { multipartBody } from './multipart-body.ts'
import { requestFiles } from './request-files.ts'
import type { DiagnoseRequest } from './diagnose-request.ts'

/** The files of a request: those of its form, and those in its JSON. */
export type FilesOf = (request: FastifyRequest<{ Body: Pick<DiagnoseRequest, 'files'> }>) => SentFile[]

/** Lets the routes of a plugin take forms; their fields become the body. */
export function acceptForms(app: FastifyInstance, limits: ServerLimits): FilesOf {
  const uploads = new WeakMap<object, readonly MediaFile[]>()
  app.addContentTypeParser('multipart/form-data', async (request: FastifyRequest, payload: FastifyRequest['raw']) => {
    const { fields, files } = await multipartBody(payload, limits)
    requireFewFiles(fields, limits) // before it is validated
    uploads.set(request.raw, files)
    return fields
  })
  return request => [...(uploads.get(request.raw) ?? []), ...requestFiles(request.body, limits)]
}

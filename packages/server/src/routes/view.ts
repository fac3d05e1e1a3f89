import { Readable } from 'node:stream'
import { parseWindow } from '@qoq-med/data-climb'
import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { DiagnoseRequest } from '../diagnose/diagnose-request.ts'
import { acceptForms } from '../diagnose/form-files.ts'
import { requireAtMost, type ServerLimits } from '../limits.ts'
import type { Works } from '../work/works.ts'

/** Frames and slices that a view may have. */
const maxFrames = 64

const Body = DiagnoseRequest.pick({ files: true, window: true }).extend({
  /** Frames or slices to show of a file, spread evenly. */
  frames: z.int().min(1).max(maxFrames).nullish(),
})
type Body = z.infer<typeof Body>

/** POST /v1/view: what a model sees of files, as pixels and samples, for pages that draw them. */
export const viewRoute: FastifyPluginAsync<{ limits: ServerLimits; works: Works }> = async (app, { limits, works }) => {
  const filesOf = acceptForms(app, limits)
  const schema = { body: z.toJSONSchema(Body, { target: 'draft-7', io: 'input' }) }
  app.post<{ Body: Body }>('/v1/view', { schema, config: { scope: 'diagnose' } }, async (http, reply) => {
    const { window, frames } = http.body
    const files = filesOf(http)
    requireAtMost(limits.files, files.length, 'files')
    const given = window ? parseWindow(window) : undefined
    const options = { window: given, maxPixels: limits.imagePixels, frames: frames ?? maxFrames }
    const document = await works.view({ files, options })
    return reply
      .type('application/json; charset=utf-8')
      .header('content-length', document.length)
      .send(Readable.from(piecesOf(document)))
  })
}

/** A document of some megabytes that goes out at once holds up what else is served. */
const pieceBytes = 2 ** 18

function* piecesOf({ buffer, byteOffset, byteLength }: Uint8Array): Generator<Buffer> {
  for (let at = 0; at < byteLength; at += pieceBytes)
    yield Buffer.from(buffer, byteOffset + at, Math.min(pieceBytes, byteLength - at))
}

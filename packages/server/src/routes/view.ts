import { parseWindow, type EcgRecording } from '@qoq-med/data-climb'
import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { DiagnoseRequest } from '../diagnose/diagnose-request.ts'
import { acceptForms } from '../diagnose/form-files.ts'
import { requireAtMost, type ServerLimits } from '../limits.ts'
import type { DecodedMedia, DecodedPicture, DecodeMedia } from '../media/decoded-media.ts'
import { valueWindow } from '../media/value-window.ts'

/** Frames and slices that a view may have. */
const maxFrames = 64

const Body = DiagnoseRequest.pick({ files: true, window: true }).extend({
  /** Frames or slices to show of a file, spread evenly. */
  frames: z.int().min(1).max(maxFrames).nullish(),
})
type Body = z.infer<typeof Body>

/** POST /v1/view: what a model sees of files, as pixels and samples, for pages that draw them. */
export const viewRoute: FastifyPluginAsync<{ limits: ServerLimits; decode: DecodeMedia }> = async (
  app,
  { limits, decode },
) => {
  const filesOf = acceptForms(app, limits)
  const schema = { body: z.toJSONSchema(Body, { target: 'draft-7', io: 'input' }) }
  app.post<{ Body: Body }>('/v1/view', { schema, config: { scope: 'diagnose' } }, async http => {
    const { window, frames } = http.body
    const files = filesOf(http)
    requireAtMost(limits.files, files.length, 'files')
    const given = window ? parseWindow(window) : undefined
    const media = await decode(files, { window: given, maxPixels: limits.imagePixels, frames: frames ?? maxFrames })
    const [first] = files
    return viewDocument(media, (first && (await valueWindow(first))) ?? null)
  })
}

function viewDocument({ groups, ecgs, warnings }: DecodedMedia, window: object | null): object {
  return {
    object: 'view',
    groups: groups.map(({ type, pictures }) => ({ type, pictures: pictures.map(pictureDocument) })),
    ecgs: ecgs.map(ecgDocument),
    window,
    warnings,
  }
}

/** Pixels as base64: one byte each where a picture is grey, else red, green and blue. */
function pictureDocument({ image, file, kind, position, length }: DecodedPicture): object {
  const { width, height, data } = image
  const isGrey = data.every((value, i) => value === data[i - (i % 3)])
  const pixels = isGrey ? data.filter((_, i) => i % 3 === 0) : data
  return { file, kind, position, length, width, height, channels: isGrey ? 1 : 3, pixels: base64(pixels) }
}

function ecgDocument({ leads, samplingRateHz, signalMv }: EcgRecording): object {
  return { leads, fs: samplingRateHz, samples_mv: signalMv.map(base64) }
}

function base64({ buffer, byteOffset, byteLength }: Uint8Array | Float32Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64')
}

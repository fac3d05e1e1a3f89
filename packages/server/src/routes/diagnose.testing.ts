import { defaultImageProcessor, seenSize } from '@qoq-med/encoders'
import { encodeDicom } from '@qoq-med/data-climb'
import type { ContentPart, GenerateRequest } from '@qoq-med/model'
import { createServer, type ServerOptions } from '../create-server.ts'
import { findingPolicy } from '../finding-policy.testing.ts'

/** Pictures are seen with at most 12,544 pixels, in steps of 28. */
export const seen = (size: { width: number; height: number }) =>
  seenSize(size, { ...defaultImageProcessor, maxPixels: 12_544 })
/** What is chosen from. */
export const labels = ['Effusion', 'Normal']

/** Asks a server of its own, whose policy finds what is bright. */
export async function post(payload: object, options: Partial<ServerOptions> & { url?: string; accept?: string } = {}) {
  const { url = '/v1/diagnose', accept = 'application/json', ...rest } = options
  const app = createServer({ policy: findingPolicy('Effusion', seen), ...rest })
  const response = await app.inject({ method: 'POST', url, payload, headers: { accept } })
  await app.close()
  return response
}

/** What the first request of a policy asked about. */
export function contentOf({ requests }: { requests: readonly GenerateRequest[] }): readonly ContentPart[] {
  const prompt = requests[0]!.prompt
  const content = 'tokenIds' in prompt ? '' : prompt[0]!.content
  return typeof content === 'string' ? [] : content
}

/** What is bright, in pixels. */
export interface Mark {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Grey levels of a picture that is dark but for a mark. */
export function marked(width: number, height: number, mark: Mark): Uint16Array {
  const inside = (x: number, y: number) =>
    x >= mark.x && x < mark.x + mark.width && y >= mark.y && y < mark.y + mark.height
  return Uint16Array.from({ length: width * height }, (_, i) => (inside(i % width, Math.floor(i / width)) ? 3000 : 200))
}

/** The same as DICOM. */
export const dicomFile = (width: number, height: number, mark: Mark, window?: { center: number; width: number }) =>
  Buffer.from(
    encodeDicom({
      rows: height,
      columns: width,
      pixels: marked(width, height, mark),
      bitsStored: 12,
      modality: 'DX',
      sopInstanceUid: '1.2.3.4',
      ...(window && { window }),
    }),
  )

/** A chest picture as DICOM, in base64. */
export const file = dicomFile(84, 56, { x: 8, y: 12, width: 20, height: 20 }).toString('base64')

/** A form as `curl -F` sends it. */
export function form(fields: readonly (readonly [string, string])[], files: readonly (readonly [string, Buffer])[]) {
  const edge = 'qoq-edge'
  const part = (head: string, body: Buffer): Buffer =>
    Buffer.concat([
      Buffer.from(`--${edge}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`),
      body,
      Buffer.from('\r\n'),
    ])
  const payload = Buffer.concat([
    ...fields.map(([name, value]) => part(`name="${name}"`, Buffer.from(value))),
    ...files.map(([name, bytes]) => part(`name="file"; filename="${name}"`, bytes)),
    Buffer.from(`--${edge}--\r\n`),
  ])
  const headers: Record<string, string> = {
    'content-type': `multipart/form-data; boundary=${edge}`,
    'x-qoq-request': '1',
  }
  return { payload, headers }
}

/** Asks with a form. */
export async function postForm(parts: ReturnType<typeof form>, options: Partial<ServerOptions> = {}) {
  const app = createServer({ policy: findingPolicy('Effusion', seen), ...options })
  const response = await app.inject({ method: 'POST', url: '/v1/diagnose', ...parts })
  await app.close()
  return response
}

/** An answer without what differs from time to time. */
export const whole = (body: { id: string; timing_ms: object }) => ({ ...body, id: '', timing_ms: {} })

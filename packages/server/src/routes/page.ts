import type { FastifyPluginAsync } from 'fastify'
import type { PageFile } from '../page/page-files.ts'
import { documentHeaders } from './document-headers.ts'

/** A page may load what this server sends, ask this server, and be framed by nobody. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** GET /: the page to try a model on, and its files. */
export const pageRoute: FastifyPluginAsync<{ files: readonly PageFile[] }> = async (app, { files }) => {
  for (const { url, type, bytes } of files)
    app.get(url, { config: { scope: 'any' } }, async (_request, reply) =>
      reply
        .headers({
          ...documentHeaders(contentSecurityPolicy),
          'cache-control': url === '/' ? 'no-cache' : 'private, max-age=31536000, immutable',
        })
        .type(type)
        .send(bytes),
    )
}

import { isIP } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { serverErrors } from './errors.ts'

/** Name under which a server keeps whether it asks for keys. */
export const keyedDecorator = 'asksForKeys'

/**
 * Lets a server listen: on this machine alone, or anywhere where it asks for keys.
 *
 * @param port 0 takes a free one
 * @returns the address, such as http://127.0.0.1:8080
 * @throws SERVER_KEY_REQUIRED for an address that others reach, where the server asks for no keys
 * @throws SERVER_ADDRESS_UNAVAILABLE when the port is taken or the host is not this machine's
 */
export async function listen(
  app: FastifyInstance,
  { host = '127.0.0.1', port = 8080 }: { readonly host?: string; readonly port?: number } = {},
): Promise<string> {
  if (!isLoopback(host) && app.getDecorator(keyedDecorator) !== true) throw serverErrors.KEY_REQUIRED({ host })
  try {
    // For localhost Fastify would make a second server, of the other address, that ends no stalled connection.
    return await app.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port })
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason'
    throw serverErrors.ADDRESS_UNAVAILABLE({ host, port, reason: reasons[code] ?? code }, { cause })
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something listens there already',
  EACCES: 'the system does not allow it',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'the name is not known',
}

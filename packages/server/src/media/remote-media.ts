import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import http from 'node:http'
import https from 'node:https'
import { isIP, type BlockList, type LookupFunction } from 'node:net'
import { callbackify } from 'node:util'
import { serverErrors } from '../errors.ts'
import { mayBeConnected, networksOf } from './public-address.ts'

/** Which pictures a server fetches in a client's stead. */
export interface RemoteMediaOptions {
  /** Hosts by their names, such as images.example.org, for http and https; with a port for that port alone: images.example.org:443 for https. */
  readonly hosts: readonly string[]
  /** Networks beside the internet in which an allowed host may lie, such as 10.1.0.0/16 or 127.0.0.1. */
  readonly networks?: readonly string[]
  /** Bytes of a picture. */
  readonly maxBytes: number
  /** Milliseconds until a picture is there. Default 10,000. */
  readonly timeoutMs?: number
  /** Finds the addresses of a name; default: the system's. */
  readonly resolve?: (name: string) => Promise<readonly LookupAddress[]>
}

/**
 * Fetches a picture from a host that is allowed.
 *
 * @param field where the address stands in the request, for errors
 * @throws SERVER_REMOTE_URL_REFUSED for another host, SERVER_REMOTE_MEDIA_FAILED
 */
export type FetchMedia = (
  url: string,
  field: string,
  options?: { readonly signal?: AbortSignal | undefined },
) => Promise<Uint8Array>

const defaultTimeoutMs = 10_000

/**
 * Makes what fetches pictures. A name's addresses are looked at in the lookup of the connection itself, so that a name that
 * changes between a look and the connection gains nothing; no redirect is followed; nothing of the client's request is sent on.
 *
 * @throws SERVER_NETWORK_INVALID, SERVER_MEDIA_HOST_INVALID
 */
export function createRemoteMedia({
  hosts,
  networks = [],
  maxBytes,
  timeoutMs = defaultTimeoutMs,
  resolve = systemAddresses,
}: RemoteMediaOptions): FetchMedia {
  const named = new Set(hosts.map(hostOf))
  const allowed = networksOf(networks)
  const lookup = guardedLookup(resolve, allowed)
  return async (text, field, { signal } = {}) => {
    const url = allowedUrl(text, named)
    if (!url) throw serverErrors.REMOTE_URL_REFUSED({ field })
    const bare = url.hostname.replace(/^\[|\]$/g, '')
    if (isIP(bare) !== 0 && !mayBeConnected(bare, allowed)) throw failed(field, insideReason)
    const timeout = AbortSignal.timeout(timeoutMs)
    try {
      return await download(url, { lookup, maxBytes, signal: signal ? AbortSignal.any([timeout, signal]) : timeout })
    } catch (thrown) {
      if (signal?.aborted) throw signal.reason
      if (timeout.aborted) throw failed(field, `it is not there after ${timeoutMs / 1000} s`)
      throw failed(field, thrown instanceof Refusal ? thrown.message : 'it cannot be reached', thrown)
    }
  }
}

/** A host as addresses have it: in small letters, names of other scripts as the domain system writes them, the port if one is said. */
function hostOf(host: string): string {
  const [asHttp, asHttps] = ['http', 'https'].map(scheme =>
    /^[^/?#@\s\\]+$/.test(host) ? URL.parse(`${scheme}://${host}`) : null,
  )
  if (!asHttp || !asHttps) throw serverErrors.MEDIA_HOST_INVALID({ host })
  return asHttp.port === '' ? asHttps.host : asHttp.host // each leaves out a port of its own
}

const defaultPorts: ReadonlyMap<string, string> = new Map([
  ['http:', '80'],
  ['https:', '443'],
])

const insideReason = 'its address lies in a network that is not allowed'

/** Why a picture is not taken; the words are ours. */
class Refusal extends Error {}

function failed(field: string, reason: string, cause?: unknown): Error {
  return serverErrors.REMOTE_MEDIA_FAILED({ field, reason }, { cause })
}

/** An address of http or https without user and password, whose host is named. */
function allowedUrl(text: string, named: ReadonlySet<string>): URL | undefined {
  // What a browser would read leniently (blanks, backslashes, missing slashes) is no address here.
  if (!/^https?:\/\/[^\s\\]+$/i.test(text)) return undefined
  const url = URL.parse(text)
  if (!url || url.username !== '' || url.password !== '') return undefined
  const port = url.port === '' ? defaultPorts.get(url.protocol) : url.port
  const isNamed = named.has(`${url.hostname}:${port}`) || (url.port === '' && named.has(url.hostname))
  return isNamed ? url : undefined
}

async function systemAddresses(name: string): Promise<readonly LookupAddress[]> {
  return new Promise((resolve, reject) => {
    systemLookup(name, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)))
  })
}

/** The lookup of a connection, which gives no address that may not be connected; a name with one such is refused as a whole. */
function guardedLookup(resolve: NonNullable<RemoteMediaOptions['resolve']>, allowed: BlockList): LookupFunction {
  const look = callbackify(async (name: string) => requireAllowed(await resolve(name), allowed))
  return (name, { all }, done) =>
    look(name, (error, addresses) => {
      if (error) done(error, '')
      else if (all === true) done(null, addresses)
      else done(null, addresses[0]!.address, addresses[0]!.family) // there is one
    })
}

function requireAllowed(addresses: readonly LookupAddress[], allowed: BlockList): LookupAddress[] {
  if (addresses.length === 0) throw new Refusal('its name has no address')
  if (addresses.some(({ address }) => !mayBeConnected(address, allowed))) throw new Refusal(insideReason)
  return [...addresses]
}

interface Download {
  readonly lookup: LookupFunction
  readonly maxBytes: number
  readonly signal: AbortSignal
}

async function download(url: URL, { lookup, maxBytes, signal }: Download): Promise<Uint8Array> {
  const { request } = url.protocol === 'https:' ? https : http
  const headers = { accept: 'image/*', 'accept-encoding': 'identity', 'user-agent': 'qoq-med' }
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    request(url, { headers, lookup, signal, agent: false }, resolve)
      .on('error', reject)
      .on('close', () => reject(new Refusal('it was not answered'))) // such as by another protocol
      .end()
  })
  try {
    if (response.statusCode !== 200) throw new Refusal(`it was answered with status ${response.statusCode}`)
    const tooLarge = new Refusal(`it has more than ${maxBytes} bytes`)
    if (Number(response.headers['content-length'] ?? 0) > maxBytes) throw tooLarge
    const chunks: Uint8Array[] = []
    let bytes = 0
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      bytes += chunk.byteLength
      if (bytes > maxBytes) throw tooLarge
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  } finally {
    response.destroy()
  }
}

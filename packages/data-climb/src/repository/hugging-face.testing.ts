import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A file that the server has; large ones lie at another host, as those of Git LFS do. */
export interface ServedFile {
  readonly path: string
  readonly bytes: Buffer
  readonly isLarge?: boolean
  /** What the listing says instead of the truth. */
  readonly lies?: { readonly size?: number; readonly oid?: string }
}

/** Two servers that answer like huggingface.co and the store of its large files; `intercept` may misbehave. */
export interface FakeHuggingFace {
  readonly host: string
  files: readonly ServedFile[]
  commit: string
  token: string | undefined
  pageSize: number
  /** Answers a request itself, or leaves it to the server. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean
  readonly requests: {
    readonly host: 'hub' | 'store'
    readonly url: string
    readonly headers: IncomingMessage['headers']
  }[]
  close(): Promise<void>
}

/** Starts both; the forms of answers are those of the public ones, written out of their documentation. */
export async function startHuggingFace(): Promise<FakeHuggingFace> {
  const requests: FakeHuggingFace['requests'] = []
  const hub = createServer((request, response) => {
    requests.push({ host: 'hub', url: request.url ?? '', headers: request.headers })
    if (!fake.intercept(request, response)) answerHub(fake, request, response, storeAt)
  })
  const store = createServer((request, response) => {
    requests.push({ host: 'store', url: request.url ?? '', headers: request.headers })
    if (fake.intercept(request, response)) return
    const file = fake.files.find(({ path }) => `/${encodeURIComponent(path)}` === request.url)
    if (file) sendBytes(request, response, file.bytes)
    else response.writeHead(404).end()
  })
  const [host, storeAt] = [await listening(hub), await listening(store)]
  const fake: FakeHuggingFace = {
    host,
    files: [],
    commit: 'c'.repeat(40),
    token: undefined,
    pageSize: 1000,
    intercept: () => false,
    requests,
    close: async () => {
      for (const server of [hub, store]) {
        server.closeAllConnections()
        await new Promise(resolve => server.close(resolve))
      }
    },
  }
  return fake
}

function answerHub(fake: FakeHuggingFace, request: IncomingMessage, response: ServerResponse, storeAt: string): void {
  const url = new URL(request.url ?? '', fake.host)
  if (fake.token !== undefined && request.headers.authorization !== `Bearer ${fake.token}`)
    return void response.writeHead(401).end('{"error":"Invalid credentials in Authorization header"}')
  const [, api, rest = ''] = /^\/(api\/models\/owner\/name|owner\/name)\/(.*)$/.exec(url.pathname) ?? []
  if (api === undefined) return void response.writeHead(404).end('{"error":"Repository not found"}')
  if (rest.startsWith('revision/'))
    return json(response, { _id: 'x', id: 'owner/name', sha: fake.commit, siblings: [] })
  if (rest.startsWith('tree/')) return tree(fake, url, response)
  const path = decodeURIComponent(rest.replace(`resolve/${fake.commit}/`, ''))
  const file = fake.files.find(each => each.path === path)
  if (!file) return void response.writeHead(404).end()
  if (!file.isLarge) return sendBytes(request, response, file.bytes)
  response
    .writeHead(302, { location: `${storeAt}/${encodeURIComponent(path)}`, 'x-linked-size': file.bytes.length })
    .end()
}

function tree(fake: FakeHuggingFace, url: URL, response: ServerResponse): void {
  const start = Number(url.searchParams.get('cursor') ?? 0)
  const rows = fake.files.slice(start, start + fake.pageSize).map(({ path, bytes, isLarge = false, lies = {} }) => {
    const size = lies.size ?? bytes.length
    const sha256 = lies.oid ?? createHash('sha256').update(bytes).digest('hex')
    if (isLarge) return { type: 'file', oid: '0'.repeat(40), size, path, lfs: { oid: sha256, size, pointerSize: 134 } }
    return { type: 'file', oid: lies.oid ?? gitName(bytes), size, path }
  })
  url.searchParams.set('cursor', String(start + fake.pageSize))
  const isLast = start + fake.pageSize >= fake.files.length
  if (!isLast) response.setHeader('link', `<${url.href}>; rel="next"`)
  json(response, [{ type: 'directory', oid: '0'.repeat(40), size: 0, path: 'folder' }, ...rows])
}

/** What Git calls a file: `git hash-object`. */
export function gitName(bytes: Buffer): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
}

/** Answers from where it is asked. */
export function sendBytes(
  request: IncomingMessage,
  response: ServerResponse,
  bytes: Buffer,
  cutAfter = Infinity,
): void {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
  response.writeHead(start > 0 ? 206 : 200, {
    etag: '"v1"',
    'content-length': bytes.length - start,
    ...(start > 0 && { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` }),
  })
  const rest = bytes.subarray(start)
  if (rest.length <= cutAfter) response.end(rest)
  else response.write(rest.subarray(0, cutAfter), () => setTimeout(() => response.destroy(), 10))
}

function json(response: ServerResponse, value: unknown): void {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(value))
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}` // listens on TCP
}

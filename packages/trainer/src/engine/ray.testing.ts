import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a Ray of rote is asked, and how it behaves. */
export interface RoteRay {
  readonly address: string
  /** Method and path of each request, in their order. */
  readonly asked: readonly string[]
  /** Bodies of jobs that were sent. */
  readonly jobs: readonly RoteJob[]
  /** Bytes of packages that were sent, by path. */
  readonly packages: ReadonlyMap<string, Buffer>
  close(): Promise<void>
}

/** A job as it was sent. */
export interface RoteJob {
  readonly entrypoint: string
  readonly runtime_env: { readonly env_vars: Readonly<Record<string, string>>; readonly working_dir?: string }
}

/** How a Ray of rote answers. */
export interface RoteConduct {
  readonly version?: string
  readonly token?: string
  /** Status and log of the job of this number, at this look at it. */
  readonly job?: (
    at: number,
    look: number,
  ) => { readonly status: string; readonly message?: string; readonly log?: string }
}

/** A server with the routes of Ray's dashboard that jobs use, as Ray 2.60 answers them. */
export async function roteRay({
  version = '2.60.0',
  token,
  job = () => ({ status: 'SUCCEEDED' }),
}: RoteConduct = {}): Promise<RoteRay> {
  const asked: string[] = []
  const jobs: RoteJob[] = []
  const looks = new Map<number, number>()
  const packages = new Map<string, Buffer>()
  const answer = async (request: IncomingMessage): Promise<[status: number, body: unknown]> => {
    const { method = '', url = '', headers } = request
    asked.push(`${method} ${url}`)
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer) // no encoding is set
    const body = Buffer.concat(parts)
    if (token !== undefined && headers.authorization !== `Bearer ${token}`) return [401, 'Unauthorized']
    if (headers['sec-fetch-mode'] !== undefined) return [405, 'Method Not Allowed for browser traffic.']
    if (url === '/api/version') return [200, { version: '4', ray_version: version }]
    if (method === 'PUT') packages.set(url, body)
    if (url.startsWith('/api/packages/')) return [packages.has(url) ? 200 : 404, {}]
    if (method === 'POST' && url === '/api/jobs/')
      return [200, { submission_id: `job-${jobs.push(JSON.parse(body.toString())) - 1}` }]
    const [, id, part] = /^\/api\/jobs\/job-(\d+)(\/\w+)?$/.exec(url) ?? []
    if (id === undefined || !jobs[Number(id)]) return [404, 'Job does not exist']
    const look = looks.get(Number(id)) ?? 0
    const { log = '', ...info } = job(Number(id), look)
    if (part === '/stop') return [200, { stopped: true }]
    if (part === '/logs') return [200, { logs: log }]
    looks.set(Number(id), look + 1)
    return [200, info]
  }
  const server = createServer((request, response) => {
    void answer(request).then(([status, body]) =>
      response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body)),
    )
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // it listens on a port
  const close = (): Promise<void> => new Promise(resolve => void server.close(() => resolve()))
  return { address: `http://127.0.0.1:${port}`, asked, jobs, packages, close }
}

import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a stand-in for an MLflow server was told. */
export interface MlflowServer {
  readonly uri: string
  readonly requests: { readonly path: string; readonly authorization: string | undefined; readonly body: unknown }[]
  /** Answers 503 while set. */
  isAway: boolean
  close(): Promise<void>
}

/** A server on this machine that answers as MLflow's REST documentation says. */
export async function startMlflowServer(): Promise<MlflowServer> {
  const experiments = new Map<string, string>()
  const requests: MlflowServer['requests'] = []
  const state = { isAway: false }
  const answers: Readonly<Record<string, (body: Record<string, unknown>) => unknown>> = {
    'experiments/get-by-name': ({ experiment_name: name }) => {
      const id = experiments.get(String(name))
      return id === undefined ? undefined : { experiment: { experiment_id: id } }
    },
    'experiments/create': ({ name }) => {
      experiments.set(String(name), String(experiments.size + 1))
      return { experiment_id: experiments.get(String(name)) }
    },
    'runs/create': () => ({ run: { info: { run_id: `run-${requests.length}` } } }),
    'runs/log-batch': () => ({}),
    'runs/update': () => ({}),
  }
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    const path = url.pathname.replace('/api/2.0/mlflow/', '')
    const body = request.method === 'GET' ? Object.fromEntries(url.searchParams) : await jsonOf(request)
    requests.push({ path, authorization: request.headers.authorization, body })
    const answer = state.isAway ? undefined : answers[path]?.(body)
    response.statusCode = state.isAway ? 503 : answer === undefined ? 404 : 200
    const missing = { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'No such thing' }
    response.end(JSON.stringify(state.isAway ? { message: 'away' } : (answer ?? missing)))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(state, {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // it listens on a port
    requests,
    close: () => closed(server),
  })
}

async function jsonOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer) // a request's chunks are buffers
  return JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown> // sent by the client under test
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise(resolve => void server.close(() => resolve()))
}

/** Where an MLflow server is and how to speak to it. */
export interface MlflowAddress {
  /** Such as http://127.0.0.1:5000. */
  readonly uri: string
  /** Sent as a bearer token. */
  readonly token?: string | undefined
  /** Sent as basic authentication where there is no token. */
  readonly username?: string | undefined
  readonly password?: string | undefined
}

/** A metric as MLflow takes it; `timestamp` in milliseconds since 1970. */
export interface MlflowMetric {
  readonly key: string
  readonly value: number
  readonly step: number
  readonly timestamp: number
}

/** The calls of MLflow's REST API (version 2.0) that a run needs. Each rejects with an Error that says what the server said. */
export interface MlflowClient {
  /** The id of an experiment, which is made where there is none of that name. */
  experiment(name: string): Promise<string>
  /** Begins a run; answers its id. */
  createRun(experimentId: string, name: string, params: Readonly<Record<string, string>>): Promise<string>
  /** @param metrics at most 1,000, MLflow's limit of one batch */
  logMetrics(runId: string, metrics: readonly MlflowMetric[]): Promise<void>
  setStatus(runId: string, status: 'RUNNING' | 'FINISHED' | 'KILLED'): Promise<void>
}

/** A request may take this long; a server that hangs must not hold a run up. */
const timeoutMs = 10_000

/** MLflow refuses longer values of a parameter. */
const maxParamLength = 6000

/** Makes a client of an MLflow server. */
export function createMlflowClient(address: MlflowAddress): MlflowClient {
  const call = (method: 'GET' | 'POST', path: string, body: Readonly<Record<string, unknown>>) =>
    request(address, method, path, body)
  return {
    experiment: async name => {
      const known = await call('GET', 'experiments/get-by-name', { experiment_name: name }).catch(ifNotFound)
      const { experiment_id: id } = record(known?.['experiment'])
      if (id !== undefined) return textOf(id)
      return textOf((await call('POST', 'experiments/create', { name }))['experiment_id'])
    },
    createRun: async (experimentId, name, params) => {
      const body = { experiment_id: experimentId, run_name: name, start_time: Date.now() }
      const { run } = await call('POST', 'runs/create', body)
      const runId = textOf(record(record(run)['info'])['run_id'])
      const list = Object.entries(params).map(([key, value]) => ({ key, value: value.slice(0, maxParamLength) }))
      await call('POST', 'runs/log-batch', { run_id: runId, params: list })
      return runId
    },
    logMetrics: async (runId, metrics) => void (await call('POST', 'runs/log-batch', { run_id: runId, metrics })),
    setStatus: async (runId, status) => {
      const ended = status === 'RUNNING' ? {} : { end_time: Date.now() }
      await call('POST', 'runs/update', { run_id: runId, status, ...ended })
    },
  }
}

class MlflowError extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

function ifNotFound(error: unknown): undefined {
  if (error instanceof MlflowError && error.code === 'RESOURCE_DOES_NOT_EXIST') return undefined
  throw error
}

async function request(
  address: MlflowAddress,
  method: 'GET' | 'POST',
  path: string,
  body: Readonly<Record<string, unknown>>,
): Promise<Record<string, unknown>> {
  const url = new URL(`${address.uri.replace(/\/$/, '')}/api/2.0/mlflow/${path}`)
  if (method === 'GET') for (const [name, value] of Object.entries(body)) url.searchParams.set(name, String(value))
  const response = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', ...authorization(address) },
    redirect: 'error', // credentials go nowhere else
    signal: AbortSignal.timeout(timeoutMs),
    ...(method === 'POST' && { body: JSON.stringify(body) }),
  })
  const answer = record(await response.json().catch(() => undefined))
  if (response.ok) return answer
  const code = answer['error_code']
  const message = answer['message']
  throw new MlflowError(
    typeof code === 'string' ? code : String(response.status),
    `${response.status} ${typeof message === 'string' ? message : response.statusText}`,
  )
}

function authorization({ token, username, password }: MlflowAddress): Record<string, string> {
  if (token !== undefined) return { authorization: `Bearer ${token}` }
  if (username === undefined) return {}
  return { authorization: `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}` }
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {} // an object by the check
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  throw new Error('The answer is not of the form that MLflow documents.')
}

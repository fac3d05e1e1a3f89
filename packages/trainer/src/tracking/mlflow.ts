import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeWhole } from '@qoq-med/whole-file'
import { createMlflowClient, type MlflowAddress, type MlflowClient, type MlflowMetric } from './mlflow-client.ts'
import { metricScalars } from './metric-scalars.ts'
import type { RunTracker } from './run-tracker.ts'

/** Options of MLflow tracking. */
export interface MlflowOptions extends MlflowAddress {
  /** Default `qoq-med`. */
  readonly experiment?: string | undefined
}

/** What MLflow is told of a run. */
export interface MlflowRun {
  readonly folder: string
  readonly name: string
  readonly params: Readonly<Record<string, string>>
}

/** Metrics of one request; MLflow takes at most 1,000. */
const batchSize = 1000

/** Metrics that wait for a server that is away; the oldest are left out beyond that, metrics.jsonl has them all. */
const maxWaiting = 100_000

/**
 * Sends a run's metrics to an MLflow server while the run goes. A server that is away or refuses costs the run nothing:
 * metrics wait, `onWarning` is told once, and metrics.jsonl has everything. The run's id is kept in `mlflow.json`, so that
 * a resumed run goes on in the same MLflow run.
 *
 * @param onWarning told in one sentence when the server cannot be used, and at the end what was not delivered
 */
export function createMlflowTracker(
  run: MlflowRun,
  { experiment = 'qoq-med', ...address }: MlflowOptions,
  onWarning: (text: string) => void,
): RunTracker {
  const client = createMlflowClient(address)
  const delivery = new Delivery(client, () => openRun(client, run, { uri: address.uri, experiment }), onWarning)
  return {
    metric: line => delivery.add(metricsOf(line)),
    close: outcome => delivery.end(outcome === 'finished' ? 'FINISHED' : 'KILLED'),
  }
}

/** The MLflow run of a run folder: the one it began with on this server, or a new one. */
async function openRun(
  client: MlflowClient,
  { folder, name, params }: MlflowRun,
  { uri, experiment }: { readonly uri: string; readonly experiment: string },
): Promise<string> {
  const file = join(folder, 'mlflow.json')
  const known = await knownRun(file, uri)
  if (known !== undefined) {
    await client.setStatus(known, 'RUNNING')
    return known
  }
  const runId = await client.createRun(await client.experiment(experiment), name, params)
  await writeWhole(file, `${JSON.stringify({ uri, runId })}\n`)
  return runId
}

/** Keeps what was not sent yet and sends it in the order it came; one request at a time. */
class Delivery {
  readonly #client: MlflowClient
  readonly #open: () => Promise<string>
  readonly #onWarning: (text: string) => void
  #waiting: MlflowMetric[] = []
  #lost = 0
  #runId: string | undefined
  #sending: Promise<void> | undefined
  #warned = false

  constructor(client: MlflowClient, open: () => Promise<string>, onWarning: (text: string) => void) {
    this.#client = client
    this.#open = open
    this.#onWarning = onWarning
  }

  add(metrics: readonly MlflowMetric[]): void {
    this.#waiting.push(...metrics)
    const surplus = Math.max(0, this.#waiting.length - maxWaiting)
    this.#waiting.splice(0, surplus)
    this.#lost += surplus
    this.#sending ??= this.#send().finally(() => (this.#sending = undefined))
  }

  async end(status: 'FINISHED' | 'KILLED'): Promise<void> {
    await this.#sending
    await this.#send()
    const missing = this.#lost + this.#waiting.length
    if (missing > 0) this.#onWarning(`MLflow did not take ${missing} metrics; metrics.jsonl has all of them.`)
    if (this.#runId !== undefined) await this.#client.setStatus(this.#runId, status).catch(() => undefined)
  }

  async #send(): Promise<void> {
    try {
      this.#runId ??= await this.#open()
      while (this.#waiting.length > 0) await this.#sendBatch(this.#runId)
    } catch (error) {
      if (!this.#warned) this.#onWarning(`MLflow cannot be used now: ${reasonOf(error)} The run goes on.`)
      this.#warned = true
    }
  }

  async #sendBatch(runId: string): Promise<void> {
    const batch = this.#waiting.splice(0, batchSize)
    try {
      await this.#client.logMetrics(runId, batch)
    } catch (error) {
      this.#waiting.unshift(...batch)
      throw error
    }
  }
}

function metricsOf(line: Readonly<Record<string, unknown>>): MlflowMetric[] {
  const [step, timestamp] = [Number(line['step']), Date.now()]
  return Object.entries(metricScalars(line))
    .filter(([, value]) => Number.isFinite(value))
    .map(([key, value]) => ({ key, value, step, timestamp }))
}

async function knownRun(file: string, uri: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '{}')
  const known: unknown = JSON.parse(text)
  if (typeof known !== 'object' || known === null || !('runId' in known) || !('uri' in known)) return undefined
  return known.uri === uri && typeof known.runId === 'string' ? known.runId : undefined
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error // fetch and the client throw errors
  const detail = cause instanceof Error ? ` (${cause.message})` : ''
  return `${message}${detail}`.replace(/[.]?$/, '.')
}

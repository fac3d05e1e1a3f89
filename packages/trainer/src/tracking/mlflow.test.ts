import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createMlflowTracker } from './mlflow.ts'
import { startMlflowServer, type MlflowServer } from './mlflow-server.testing.ts'

let server: MlflowServer
let folder: string
let warnings: string[]
beforeEach(async () => {
  server = await startMlflowServer()
  folder = await mkdtemp(join(tmpdir(), 'qoq-mlflow-'))
  warnings = []
})
afterEach(() => server.close())

const line = (step: number) => ({ stage: 'warm', stageIndex: 0, step, loss: step / 4, seconds: 0.5 })
const tracker = (options: { readonly token?: string } = {}) =>
  createMlflowTracker(
    { folder, name: 'small', params: { seed: '42' } },
    { uri: server.uri, ...options },
    text => void warnings.push(text),
  )
const sent = (path: string) => server.requests.filter(request => request.path === path).map(({ body }) => body)
const losses = () =>
  sent('runs/log-batch')
    .flatMap(body => (body as { metrics?: { key: string; value: number; step: number }[] }).metrics ?? [])
    .filter(({ key }) => key === 'warm/loss')
    .map(({ step, value }) => [step, value])

describe('MLflow tracking', () => {
  test('makes the experiment and a run, sends parameters and every metric, and says how it ended', async () => {
    const running = tracker({ token: 'secret' })
    for (const step of [1, 2, 3]) await running.metric(line(step))
    await running.close('finished')
    expect(sent('experiments/create')).toEqual([{ name: 'qoq-med' }])
    expect(sent('runs/log-batch')[0]).toMatchObject({ params: [{ key: 'seed', value: '42' }] })
    expect(losses()).toEqual([
      [1, 0.25],
      [2, 0.5],
      [3, 0.75],
    ])
    expect(sent('runs/update').at(-1)).toMatchObject({ status: 'FINISHED' })
    expect(server.requests.every(({ authorization }) => authorization === 'Bearer secret')).toBe(true)
    expect(warnings).toEqual([])
  })

  test('goes on in the same MLflow run when the run is resumed', async () => {
    const first = tracker()
    await first.metric(line(1))
    await first.close('stopped')
    const second = tracker()
    await second.metric(line(2))
    await second.close('finished')
    expect(sent('runs/create')).toHaveLength(1)
    const ids = [...sent('runs/log-batch'), ...sent('runs/update')].map(body => (body as { run_id: string }).run_id)
    expect(new Set(ids).size).toBe(1)
    expect(JSON.parse(await readFile(join(folder, 'mlflow.json'), 'utf8'))).toEqual({ uri: server.uri, runId: ids[0] })
  })

  test('keeps metrics for a server that is away, warns once and delivers them later', async () => {
    server.isAway = true
    const running = tracker()
    await running.metric(line(1))
    await expect.poll(() => warnings).toHaveLength(1)
    server.isAway = false
    await running.metric(line(2))
    await running.close('finished')
    expect(losses()).toEqual([
      [1, 0.25],
      [2, 0.5],
    ])
    expect(warnings).toEqual(['MLflow cannot be used now: 503 away. The run goes on.'])
  })

  test('says at the end what was not delivered', async () => {
    await server.close()
    const running = tracker()
    await running.metric(line(1))
    await running.close('finished')
    expect(warnings.at(-1)).toBe('MLflow did not take 2 metrics; metrics.jsonl has all of them.')
  })
})

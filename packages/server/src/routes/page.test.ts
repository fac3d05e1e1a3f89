import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createServer } from '../create-server.ts'
import { fakePolicy } from '../fake-policy.testing.ts'
import { traversalVectors } from '../security/traversal-vectors.testing.ts'

const secret = 'the secret beside the folder'
let root = ''
let app: ReturnType<typeof createServer>

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'qoq-page-test-'))
  const write = async (file: string, text: string): Promise<void> => {
    await mkdir(path.dirname(path.join(root, file)), { recursive: true })
    await writeFile(path.join(root, file), text)
  }
  await write('secret.txt', secret)
  await write('outside/metrics.jsonl', JSON.stringify({ secret }))
  await write('page/index.html', '<!doctype html><title>x</title>')
  await write('page/assets/a.js', 'export {}')
  await write('page/assets/a.js.map', secret)
  await write('runs/demo/run/metrics.jsonl', '{"step":1,"reward":0.5}\n{"step":2,"reward":0.75}\n{"step":3,"rew')
  await write('runs/demo/run/samples.jsonl', '{"step":2,"reward":1}\n')
  await write('runs/demo/eval/results.json', '{"schemaVersion":2}')
  await write('runs/demo/eval/samples.jsonl', '{"sampleId":"a"}\n')
  await symlink(path.join(root, 'outside'), path.join(root, 'runs/link'))
  app = createServer({ policy: fakePolicy(), page: path.join(root, 'page'), runs: path.join(root, 'runs') })
})
afterAll(async () => {
  await app.close()
  await rm(root, { recursive: true, force: true })
})

describe('the page', () => {
  test('is sent with a policy that lets it load its own files alone', async () => {
    const { statusCode, headers, body } = await app.inject('/')
    expect([statusCode, headers['content-type'], body]).toEqual([200, 'text/html; charset=utf-8', expect.any(String)])
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toMatch(/unsafe|\*|https?:/)
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect((await app.inject('/assets/a.js')).headers['content-type']).toContain('text/javascript')
  })

  test.for(['/assets/a.js.map', '/index.html', '/package.json', '/secret.txt'])('does not send %s', async url => {
    expect((await app.inject(url)).statusCode).toBe(404)
  })
})

describe('runs and evaluations of a folder', () => {
  test('are listed and read; a line that is being written is left out, links are not followed', async () => {
    expect((await app.inject('/v1/runs')).json().data).toEqual(['demo/run'])
    expect((await app.inject('/v1/evaluations')).json().data).toEqual(['demo/eval'])
    const run = (await app.inject('/v1/runs/demo/run')).json()
    expect(run).toMatchObject({ steps: [{ reward: 0.5 }, { reward: 0.75 }], rollouts: [{ step: 2 }] })
    const evaluation = (await app.inject('/v1/evaluations/demo/eval')).json()
    expect(evaluation).toMatchObject({ results: { schemaVersion: 2 }, answers: [{ sampleId: 'a' }] })
  })

  test('no path leaves the folder', async () => {
    expect(traversalVectors.length).toBeGreaterThanOrEqual(40)
    for (const vector of [...traversalVectors, 'link', 'link/metrics.jsonl', 'demo/../../outside'])
      for (const place of ['/', '/v1/runs/', '/v1/evaluations/', '/v1/examples/', '/v1/examples/ecg/', '/assets/']) {
        const response = await app.inject(`${place}${vector}`)
        // 200 is a path of dots that leads back to a route of this server.
        expect([200, 400, 404], `${place}${vector}`).toContain(response.statusCode)
        expect(response.body, `${place}${vector}`).not.toContain(secret)
        expect(response.body, `${place}${vector}`).not.toContain('root:')
      }
  })
})

describe('examples and datasets', () => {
  test('every domain of the mini clinic has a patient, whose files are sent', async () => {
    const { data } = (await app.inject('/v1/examples')).json()
    expect(data.map(({ id }: { id: string }) => id)).toContain('ecg')
    for (const { id, files, dataset, labels } of data) {
      expect(labels.length).toBeGreaterThan(0)
      expect(dataset).toBe(`mini_clinic_${id}`)
      for (const name of files) {
        const file = await app.inject(`/v1/examples/${id}/${encodeURIComponent(name)}`)
        expect([file.statusCode, file.rawPayload.length > 0]).toEqual([200, true])
      }
    }
    expect((await app.inject('/v1/examples/ecg/nothing')).statusCode).toBe(404)
  })

  test('datasets are listed with their labels', async () => {
    const { data } = (await app.inject('/v1/datasets')).json()
    const ptbXl = data.find(({ id }: { id: string }) => id === 'ptb_xl')
    expect(ptbXl).toMatchObject({ domain: 'ecg', answer_mode: 'multi' })
    expect(ptbXl.labels).toContain('Hypertrophy')
  })
})

import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openDataset, synthesise } from '@qoq-med/data-climb'
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

const answer = (dataset: string) => JSON.stringify({ dataset, sampleId: `${dataset}/1`, response: 'x' })

describe('pictures of answers', () => {
  const png = Buffer.from('89504e470d0a1a0a', 'hex')
  const kept = 'pictures/0123456789abcdef.png'
  let folder = ''
  let shown: ReturnType<typeof createServer>

  beforeAll(async () => {
    folder = path.join(root, 'shown')
    // The last two dozens are shown.
    const rollouts = [
      ...traversalVectors.slice(0, 18).map(picture => ({ picture })),
      { picture: kept },
      { picture: 'pictures/fedcba9876543210.png' }, // gone
      { picture: 'pictures/aaaaaaaaaaaaaaaa.png' }, // a link that leads out
      { picture: '../../secret.txt' },
      { picture: path.join(root, 'secret.txt') },
      {},
    ]
    await mkdir(path.join(folder, 'run/pictures'), { recursive: true })
    await writeFile(path.join(folder, 'run/metrics.jsonl'), '{"step":1}\n')
    await writeFile(path.join(folder, 'run/samples.jsonl'), rollouts.map(one => `${JSON.stringify(one)}\n`).join(''))
    await writeFile(path.join(folder, 'run', kept), png)
    await symlink(path.join(root, 'secret.txt'), path.join(folder, 'run/pictures/aaaaaaaaaaaaaaaa.png'))
    shown = createServer({ policy: fakePolicy(), runs: folder })
  })
  afterAll(async () => shown.close())

  const picturesOf = async (url: string, list: 'rollouts' | 'answers') =>
    (await shown.inject(url)).json()[list] as { picture?: string; no_picture?: string }[]

  test('are handed out by an id, and no file that a log names beside them', async () => {
    const all = await picturesOf('/v1/runs/run', 'rollouts')
    expect(all).toHaveLength(24)
    const handed = all.filter(({ picture }) => picture !== undefined)
    expect(handed).toHaveLength(1)
    for (const { picture, no_picture: reason } of all)
      expect(picture ?? reason).toMatch(/^(\/v1\/pictures\/[\w-]+|The .*)$/)
    const { statusCode, headers, rawPayload } = await shown.inject(handed[0]!.picture!)
    expect([statusCode, headers['content-type'], headers['cache-control']]).toEqual([
      200,
      'image/png',
      'private, no-store',
    ])
    expect(rawPayload.equals(png)).toBe(true)
    expect((await picturesOf('/v1/runs/run', 'rollouts')).filter(one => one.picture !== undefined)).toEqual(handed)
  })

  test.for([
    kept,
    'run%2fpictures%2f0123456789abcdef.png',
    '00000000-0000-4000-8000-000000000000',
    '..%2f..%2fsecret.txt',
  ])('no request for %s gets one', async id => {
    const { statusCode, body } = await shown.inject(`/v1/pictures/${id}`)
    expect([statusCode, body.includes(secret)]).toEqual([404, false])
  })

  test('one that becomes a link out of the folder is not sent', async () => {
    const { picture } = (await picturesOf('/v1/runs/run', 'rollouts')).find(one => one.picture !== undefined) ?? {}
    const file = path.join(folder, 'run', kept)
    await rm(file)
    await symlink(path.join(root, 'secret.txt'), file)
    expect((await shown.inject(picture!)).statusCode).toBe(404)
  })

  test('a picture that its reader refuses is none, and no answer names its file', async () => {
    const clinic = path.join(folder, 'clinic')
    await synthesise({ dir: clinic, seed: 7, size: 2, domains: ['mri'] })
    const [sample] = (await openDataset('mini_clinic_mri', { root: clinic })).samples
    await writeFile(sample!.files[0]!, 'no picture')
    const evaluation = path.join(folder, 'damaged')
    await mkdir(evaluation)
    await writeFile(
      path.join(evaluation, 'results.json'),
      JSON.stringify({ config: { data: [`mini_clinic_mri=${clinic}`] } }),
    )
    const line = JSON.stringify({ dataset: 'mini_clinic_mri', sampleId: sample!.id, response: 'x' })
    await writeFile(path.join(evaluation, 'samples.jsonl'), `${line}\n`)
    const [answered] = await picturesOf('/v1/evaluations/damaged', 'answers')
    const { statusCode, body } = await shown.inject(answered!.picture!)
    expect([statusCode, JSON.parse(body).error.code]).toEqual([404, 'SERVER_PICTURE_UNKNOWN'])
    expect(body).not.toContain(path.basename(sample!.files[0]!))
  })

  test('data outside the folder is not read, and that is said', async () => {
    const evaluation = path.join(folder, 'eval')
    const outside = path.join(root, 'outside')
    await mkdir(evaluation)
    await symlink(outside, path.join(folder, 'link-to-data'))
    const data = [`a=${outside}`, `b=${path.join(folder, 'link-to-data')}`, `c=${path.join(folder, 'run')}`]
    await writeFile(path.join(evaluation, 'results.json'), JSON.stringify({ config: { data } }))
    await writeFile(
      path.join(evaluation, 'samples.jsonl'),
      ['a', 'b', 'c', 'd'].map(one => `${answer(one)}\n`).join(''),
    )
    const answers = await picturesOf('/v1/evaluations/eval', 'answers')
    const outsideReason = expect.stringContaining('does not lie in the folder')
    expect(answers.map(one => one.no_picture)).toEqual([
      outsideReason,
      outsideReason,
      undefined,
      expect.stringContaining('does not say where'),
    ])
    // A dataset that is unknown, or a folder that holds another, has no picture.
    const none = await shown.inject(answers[2]!.picture!)
    expect([none.statusCode, none.json().error.code]).toEqual([404, 'SERVER_PICTURE_UNKNOWN'])
  })
})

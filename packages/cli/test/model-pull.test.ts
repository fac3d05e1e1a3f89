import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createHash } from 'node:crypto'
import { synthesise } from '@qoq-med/data-climb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errorOf, runInProcess, type RunResult } from '../src/run-in-process.testing.ts'
import { writeTinyModel } from '../src/tiny-model.testing.ts'

let cwd = ''
let server: Server
let env: Readonly<Record<string, string>> = {}
beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'qoq-pulled-'))
  await writeTinyModel(path.join(cwd, 'served'))
  await synthesise({ dir: path.join(cwd, 'clinic'), seed: 3, size: 12, domains: ['mri'] })
  server = await serveFolder(path.join(cwd, 'served'))
  const { port } = server.address() as AddressInfo // listens on TCP
  env = { HF_ENDPOINT: `http://127.0.0.1:${port}/`, QOQ_MODELS_DIR: path.join(cwd, 'models') }
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await rm(cwd, { recursive: true, force: true })
})

const run = (...argv: string[]): Promise<RunResult> => runInProcess(argv, { cwd, env })

/** Answers as the hub does of the one repository `lab/tiny`. */
async function serveFolder(folder: string): Promise<Server> {
  const names = await readdir(folder)
  const files = new Map(
    await Promise.all(names.map(async name => [name, await readFile(path.join(folder, name))] as const)),
  )
  const rows = [...files].map(([name, bytes]) => {
    const oid = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
    return { type: 'file', oid, size: bytes.length, path: name }
  })
  const sha = '5'.repeat(40)
  const one = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://hub')
    const bytes = files.get(pathname.replace(`/lab/tiny/resolve/${sha}/`, ''))
    if (pathname === '/api/models/lab/tiny/revision/main') response.end(JSON.stringify({ sha }))
    else if (pathname === `/api/models/lab/tiny/tree/${sha}`) response.end(JSON.stringify(rows))
    else if (bytes) response.end(bytes)
    else response.writeHead(404).end()
  })
  await new Promise<void>(resolve => one.listen(0, '127.0.0.1', resolve))
  return one
}

describe('a model by its name', () => {
  test('is asked for before it is pulled, and nothing is fetched for it', async () => {
    for (const argv of [
      ['ask', '--model', 'lab/tiny', '--image', 'x.png', 'Which?'],
      ['serve', '--model', 'lab/tiny'],
      ['eval', '--model', 'lab/tiny', '--data', 'mini_clinic_mri=clinic', '--out', 'runs/none'],
      ['model', 'generate', 'lab/tiny', '--messages', 'm.json'],
    ]) {
      await writeFile(path.join(cwd, 'm.json'), '[{"role":"user","content":"Hi"}]')
      const result = await run(...argv, '--json')
      expect(errorOf(result)).toMatchObject({
        code: 'DATA_MODEL_NOT_PULLED',
        hint: expect.stringContaining('qoq model pull lab/tiny'),
      })
      expect(result.exitCode).toBe(2)
    }
    expect(await readdir(path.join(cwd, 'models')).catch(() => 'absent')).toBe('absent')
  })

  test('is pulled, listed, opened by every command, and removed', async () => {
    const pulled = await run('model', 'pull', 'lab/tiny', '--json')
    expect(pulled).toMatchObject({ exitCode: 0 })
    expect(JSON.parse(pulled.stdout)).toMatchObject({ repository: 'lab/tiny', commit: '5'.repeat(40) })
    expect(JSON.parse((await run('model', 'list', '--json')).stdout).models).toMatchObject([
      { repository: 'lab/tiny', revision: 'main' },
    ])
    const want = await run('model', 'generate', 'served', '--messages', 'm.json', '--max-new-tokens', '8', '--json')
    const got = await run('model', 'generate', 'lab/tiny', '--messages', 'm.json', '--max-new-tokens', '8', '--json')
    expect(JSON.parse(got.stdout)).toEqual(JSON.parse(want.stdout))
    expect(JSON.parse((await run('model', 'info', 'lab/tiny', '--json')).stdout)).toHaveProperty('config')
    const image = (await readdir(path.join(cwd, 'clinic'), { recursive: true })).find(name => name.endsWith('.png'))
    const asked = await run(
      'ask',
      '--model',
      'lab/tiny',
      '--image',
      path.join('clinic', image ?? ''),
      '--max-new-tokens',
      '4',
      'Which?',
    )
    expect(asked).toMatchObject({ exitCode: 0 })
    const options = [
      '--data',
      'mini_clinic_mri=clinic',
      '--max-new-tokens',
      '4',
      '--max-samples',
      '2',
      '--resamples',
      '10',
    ]
    expect(await run('eval', '--model', 'lab/tiny', ...options, '--out', 'runs/e', '--json')).toMatchObject({
      exitCode: 0,
    })
    const removed = await run('model', 'remove', 'lab/tiny', '--json')
    expect(JSON.parse(removed.stdout).freed).toBeGreaterThan(1000)
    expect(errorOf(await run('model', 'remove', 'lab/tiny', '--json')).code).toBe('CLI_VALUE_INVALID')
  })

  test('gives way to a folder of that path', async () => {
    await cp(path.join(cwd, 'served'), path.join(cwd, 'lab/tiny'), { recursive: true })
    expect(await run('model', 'generate', 'lab/tiny', '--messages', 'm.json', '--max-new-tokens', '1')).toMatchObject({
      exitCode: 0,
    })
    await rm(path.join(cwd, 'lab'), { recursive: true })
  })

  test('is served and trained on', async () => {
    await run('model', 'pull', 'lab/tiny')
    const stop = new AbortController()
    const serving = runInProcess(['serve', '--model', 'lab/tiny', '--port', '0', '--json'], {
      cwd,
      env,
      signal: stop.signal,
    })
    setTimeout(() => stop.abort(), 3000)
    expect(await serving).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('"model":') })
    const config = {
      name: 'pulled',
      seed: 1,
      model: { checkpoint: 'lab/tiny' },
      data: { sources: [{ dataset: 'mini_clinic_mri', root: 'clinic' }] },
      stages: [{ name: 'sft', algorithm: 'sft', steps: 1, batchSize: 2, microbatchSize: 2, learningRate: 0.001 }],
    }
    await writeFile(path.join(cwd, 'train.yaml'), JSON.stringify(config))
    const before = process.env['QOQ_MODELS_DIR']
    process.env['QOQ_MODELS_DIR'] = env['QOQ_MODELS_DIR']
    try {
      const trained = await run('train', 'train.yaml', '--out', 'runs/t', '--json')
      expect(trained).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('runs/t') })
    } finally {
      if (before === undefined) delete process.env['QOQ_MODELS_DIR']
      else process.env['QOQ_MODELS_DIR'] = before
    }
  })
})

import { spawn } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { createHash } from 'node:crypto'
import { synthesise } from '@qoq-med/data-climb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errorOf, runInProcess, type RunResult } from '../src/run-in-process.testing.ts'
import { runCommandLine } from '../src/run-command-line.ts'
import { writeTinyModel } from '../src/tiny-model.testing.ts'

const binary = path.resolve(import.meta.dirname, '../src/bin.ts')
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
    if (answersItself(request, response, files)) return
    const bytes = files.get(pathname.replace(`/lab/tiny/resolve/${sha}/`, ''))
    if (pathname === '/api/models/lab/tiny/revision/main') response.end(JSON.stringify({ sha }))
    else if (pathname === `/api/models/lab/tiny/tree/${sha}`) response.end(JSON.stringify(rows))
    else if (bytes) response.end(bytes)
    else response.writeHead(404).end()
  })
  await new Promise<void>(resolve => one.listen(0, '127.0.0.1', resolve))
  return one
}

/** What a test has the server do instead. */
let answersItself = (
  _request: IncomingMessage,
  _response: ServerResponse,
  _files: ReadonlyMap<string, Buffer>,
): boolean => false

describe('a model by its name', () => {
  test('is pulled on from where a killed pull was', async () => {
    const own = { ...env, QOQ_MODELS_DIR: path.join(cwd, 'killed') }
    const argv = ['--conditions=@qoq-med/source', binary, 'model', 'pull', 'lab/tiny']
    const child = spawn(process.execPath, argv, { cwd, env: { ...process.env, ...own }, stdio: 'ignore' })
    const exited = new Promise<unknown>(resolve => child.on('close', (_, signal) => resolve(signal)))
    const ranges: (string | undefined)[] = []
    answersItself = (request, response, files) => {
      if (!request.url?.endsWith('/model.safetensors')) return false
      const bytes = files.get('model.safetensors')!
      const start = Number(/\d+/.exec(request.headers.range ?? '0')?.[0])
      ranges.push(request.headers.range)
      response.writeHead(start > 0 ? 206 : 200, {
        etag: '"v1"',
        'content-length': bytes.length - start,
        ...(start > 0 && { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` }),
      })
      // The first time half of it comes, and then nothing: the process is killed once that half is on its disk.
      if (start > 0) response.end(bytes.subarray(start))
      else response.write(bytes.subarray(0, bytes.length / 2))
      return true
    }
    const blobs = path.join(cwd, 'killed/blobs')
    const partBytes = async (): Promise<number> => {
      const parts = (await readdir(blobs).catch(() => [])).filter(name => name.endsWith('.part'))
      const sizes = await Promise.all(parts.map(async name => (await stat(path.join(blobs, name))).size))
      return Math.max(0, ...sizes)
    }
    const { size } = await stat(path.join(cwd, 'served/model.safetensors'))
    await expect.poll(partBytes, { timeout: 30_000, interval: 20 }).toBe(Math.floor(size / 2))
    child.kill('SIGKILL')
    expect(await exited).toBe('SIGKILL')
    const again = await runInProcess(['model', 'pull', 'lab/tiny', '--json'], { cwd, env: own })
    answersItself = () => false
    expect(again).toMatchObject({ exitCode: 0 })
    expect(ranges).toEqual([undefined, `bytes=${Math.floor(size / 2)}-`])
    const { folder } = JSON.parse(again.stdout)
    expect(await readFile(path.join(folder, 'model.safetensors'))).toEqual(
      await readFile(path.join(cwd, 'served/model.safetensors')),
    )
  })

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
    let said = ''
    const stdout = {
      write: (text: string) => {
        said += text
        stop.abort()
      },
    }
    const io = { stdin: Readable.from([]), stdout, stderr: { write: () => undefined }, env, cwd, signal: stop.signal }
    expect(await runCommandLine(['serve', '--model', 'lab/tiny', '--port', '0', '--json'], io)).toBe(0)
    expect(said).toContain('"model":')
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

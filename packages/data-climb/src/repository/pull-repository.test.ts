import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { gitName, sendBytes, startHuggingFace, type FakeHuggingFace, type ServedFile } from './hugging-face.testing.ts'
import { modelPlace } from './model-place.ts'
import { pullRepository, type PullOptions, type PullReport } from './pull-repository.ts'
import { RepositoryCache } from './repository-cache.ts'
import { repositoryName } from './repository-name.ts'

const weights = randomBytes(300_000)
const config = Buffer.from('hello world\n')
const folderFiles: readonly ServedFile[] = [
  { path: 'config.json', bytes: config },
  { path: 'model.safetensors', bytes: weights, isLarge: true },
  { path: 'pytorch_model.bin', bytes: randomBytes(50), isLarge: true },
  { path: 'original/config.json', bytes: Buffer.from('{}') },
]

let fake: FakeHuggingFace
let root = ''
beforeAll(async () => {
  fake = await startHuggingFace()
})
afterAll(() => fake.close())
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'qoq-pull-'))
  Object.assign(fake, {
    files: folderFiles,
    commit: 'c'.repeat(40),
    token: undefined,
    pageSize: 1000,
    intercept: () => false,
  })
  fake.requests.length = 0
})
afterEach(() => rm(root, { recursive: true, force: true }))

const pull = (name = 'owner/name', options: Partial<PullOptions> = {}): Promise<PullReport> =>
  pullRepository(name, { root, host: fake.host, pauseMs: 1, timeoutMs: 400, attempts: 4, parallel: 1, ...options })
const below = async (): Promise<string[]> => (await readdir(root, { recursive: true })).toSorted()
const gguf = (name: string): ServedFile => ({ path: name, bytes: Buffer.from(name), isLarge: true })

describe('a pull', () => {
  test('fetches what a model is made of and verifies it; a second one fetches nothing', async () => {
    // git hash-object of "hello world\n".
    expect(gitName(config)).toBe('3b18e512dba79e4c8300dd08aeb37f8e728b8dad')
    const report = await pull()
    expect(report).toMatchObject({
      files: ['config.json', 'model.safetensors'],
      commit: 'c'.repeat(40),
      fetchedBytes: weights.length + config.length,
    })
    expect(await readFile(path.join(report.folder, 'model.safetensors'))).toEqual(weights)
    expect(await readFile(path.join(report.folder, 'config.json'))).toEqual(config)
    const again = await pull()
    expect(again).toMatchObject({ folder: report.folder, fetchedBytes: 0 })
  })

  test('goes on where a cut or stopped one was', async () => {
    const stop = new AbortController()
    fake.intercept = (request, response) => {
      if (!request.url?.includes('safetensors') || request.headers.range) return false
      if (request.url.includes('resolve')) return false
      sendBytes(request, response, weights, 120_000)
      setTimeout(() => stop.abort(new Error('stopped')), 40)
      return true
    }
    await expect(pull('owner/name', { signal: stop.signal, pauseMs: 1000 })).rejects.toThrow(/stopped|abort/)
    const cache = new RepositoryCache(root)
    expect(await cache.list()).toEqual([])
    fake.intercept = () => false
    fake.requests.length = 0
    const report = await pull()
    expect(report.fetchedBytes).toBe(weights.length - 120_000)
    expect(fake.requests.find(({ host }) => host === 'store')?.headers).toMatchObject({
      range: 'bytes=120000-',
      'if-range': '"v1"',
    })
    expect(await readFile(path.join(report.folder, 'model.safetensors'))).toEqual(weights)
  })

  test('sends its token to the hub alone, and has it in no error', async () => {
    fake.token = 'hf_secret'
    await pull('owner/name', { token: 'hf_secret' })
    expect(fake.requests.filter(({ host }) => host === 'store').map(({ headers }) => headers.authorization)).toEqual([
      undefined,
    ])
    const refused = await pull('owner/name', { token: 'hf_wrong' }).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'DATA_DOWNLOAD_DENIED' })
    expect(JSON.stringify(refused)).not.toContain('hf_')
  })

  test('fetches the same bytes once, whatever their names', async () => {
    fake.files = [...folderFiles, { path: 'copy.safetensors', bytes: weights, isLarge: true }]
    const report = await pull('owner/name', { parallel: 4 })
    expect(report.files).toEqual(['config.json', 'copy.safetensors', 'model.safetensors'])
    expect(report.fetchedBytes).toBe(weights.length + config.length)
    expect(await readFile(path.join(report.folder, 'copy.safetensors'))).toEqual(weights)
  })

  test('reads a listing of several pages', async () => {
    fake.pageSize = 1
    expect((await pull()).files).toEqual(['config.json', 'model.safetensors'])
  })

  test('takes what another revision has from the disk', async () => {
    await pull()
    Object.assign(fake, {
      commit: 'd'.repeat(40),
      files: [{ path: 'config.json', bytes: Buffer.from('{}') }, ...folderFiles.slice(1)],
    })
    const report = await pull('owner/name@v2')
    expect(report).toMatchObject({ fetchedBytes: 2, revision: 'v2' })
    const cache = new RepositoryCache(root)
    expect((await cache.list()).map(({ revision, commit }) => [revision, commit[0]])).toEqual([
      ['main', 'c'],
      ['v2', 'd'],
    ])
    expect(await cache.find({ repository: 'owner/name', revision: 'c'.repeat(40) })).toMatchObject({
      commit: 'c'.repeat(40),
    })
    expect(await cache.find({ repository: 'owner/name', revision: 'constructor' })).toBeUndefined()
  })
})

/** A file of some weights, with what its listing says. */
function at(name: string, lies: ServedFile['lies'], isLarge = true): readonly ServedFile[] {
  return [{ path: name, bytes: weights, isLarge, ...(lies && { lies }) }]
}

describe('a pull that cannot be', () => {
  test.for<{ name: string; files: readonly ServedFile[]; code: string; options?: Partial<PullOptions> }>([
    {
      name: 'a large file of another SHA-256',
      files: at('model.safetensors', { oid: 'a'.repeat(64) }),
      code: 'DATA_CHECKSUM_WRONG',
    },
    {
      name: 'a small file of another name in Git',
      files: [...at('m.safetensors', undefined), ...at('config.json', { oid: 'a'.repeat(40) }, false)],
      code: 'DATA_CHECKSUM_WRONG',
    },
    { name: 'a file longer than listed', files: at('model.safetensors', { size: 1000 }), code: 'DATA_DOWNLOAD_FAILED' },
    { name: 'a disk without room', files: at('model.safetensors', { size: 1e15 }), code: 'DATA_DISK_FULL' },
    {
      name: 'a checksum that is a path',
      files: at('model.safetensors', { oid: '../../x' }),
      code: 'DATA_LISTING_INVALID',
    },
    { name: 'nothing but pickles', files: at('pytorch_model.bin', undefined), code: 'DATA_REPOSITORY_FILES' },
    { name: 'several GGUF files', files: [gguf('a.Q4_K_M.gguf'), gguf('a.Q8_0.gguf')], code: 'DATA_REPOSITORY_FILES' },
    ...[
      '../config.json',
      '/etc/config.json',
      'a/../../config.json',
      String.raw`a\..\config.json`,
      'C:config.json',
      'a//config.json',
      './config.json',
      'a\0.json',
    ].map(name => ({ name: `the path ${JSON.stringify(name)}`, files: at(name, undefined), code: 'DATA_PATH_UNSAFE' })),
  ])('is refused, and nothing is left that could be opened: $name', async ({ files, code }) => {
    fake.files = [...files, { path: 'LICENSE', bytes: Buffer.from('x') }]
    await expect(pull()).rejects.toMatchObject({ code })
    expect((await below()).filter(name => !/^blobs(\/(git|sha256)-[0-9a-f]+)?$/.test(name))).toEqual([])
    await expect(modelPlace('owner/name', { base: root, env: { QOQ_MODELS_DIR: root } })).rejects.toMatchObject({
      code: 'DATA_MODEL_NOT_PULLED',
      hint: expect.stringContaining('qoq model pull owner/name'),
    })
  })

  test('asks for no byte of a file where the disk has no room', async () => {
    fake.files = at('model.safetensors', { size: 1e15 })
    await expect(pull()).rejects.toMatchObject({ code: 'DATA_DISK_FULL' })
    expect(fake.requests.filter(({ url }) => url.includes('resolve'))).toEqual([])
  })

  // A part that is /dev/full takes no byte, as a disk that became full meanwhile.
  test.runIf(existsSync('/dev/full'))('says so when the disk becomes full meanwhile', async () => {
    const sha256 = createHash('sha256').update(weights).digest('hex')
    await mkdir(path.join(root, 'blobs'), { recursive: true })
    await symlink('/dev/full', path.join(root, 'blobs', `sha256-${sha256}.part`))
    await expect(pull()).rejects.toMatchObject({ code: 'DATA_DISK_FULL' })
    expect(await new RepositoryCache(root).list()).toEqual([])
    await rm(path.join(root, 'blobs', `sha256-${sha256}.part`))
    expect((await pull()).files).toContain('model.safetensors')
  })

  test('says so where the repository is not there, the listing goes elsewhere, or there is no network', async () => {
    await expect(pull('owner/other')).rejects.toMatchObject({ code: 'DATA_REPOSITORY_UNKNOWN' })
    await expect(pull('owner')).rejects.toMatchObject({ code: 'DATA_OPTION_INVALID' })
    fake.intercept = (request, response) => {
      if (!request.url?.includes('/tree/')) return false
      response.setHeader('link', '<http://localhost:1/tree>; rel="next"').end('[]')
      return true
    }
    await expect(pull()).rejects.toMatchObject({ code: 'DATA_LISTING_INVALID' })
    await expect(pull('owner/name', { host: 'http://127.0.0.1:1' })).rejects.toMatchObject({ code: 'DATA_OFFLINE' })
    await expect(pull('owner/name', { host: 'http://no-such-host.invalid' })).rejects.toMatchObject({
      code: 'DATA_OFFLINE',
    })
  })
})

describe('files of a repository', () => {
  test.for<{ name: string; files: readonly string[]; include?: readonly string[]; want: readonly string[] }>([
    {
      name: 'the only GGUF file with its tower',
      files: ['m.Q4_0.gguf', 'm.mmproj-Q8_0.gguf', 'm.mmproj-f16.gguf'],
      want: ['m.Q4_0.gguf', 'm.mmproj-f16.gguf'],
    },
    {
      name: 'the GGUF file that is named',
      files: ['m.Q4_0.gguf', 'm.Q8_0.gguf', 'mmproj.gguf'],
      include: ['*Q8_0*'],
      want: ['m.Q8_0.gguf', 'mmproj.gguf'],
    },
    {
      name: 'the tower that is named',
      files: ['m.Q4_0.gguf', 'mmproj-f16.gguf', 'mmproj-Q8_0.gguf'],
      include: ['*Q4_0*', 'mmproj-Q8_0*'],
      want: ['m.Q4_0.gguf', 'mmproj-Q8_0.gguf'],
    },
    { name: 'pickles where they are asked for', files: ['a.pth', 'config.json'], include: ['*.pth'], want: ['a.pth'] },
    { name: 'a pattern with a folder', files: ['x/a.json', 'y/a.json'], include: ['x/*.json'], want: ['x/a.json'] },
    {
      name: 'a pattern that looks like an expression',
      files: ['a+b.json', 'aab.json'],
      include: ['a+b.json'],
      want: ['a+b.json'],
    },
  ])('are chosen: $name', async ({ files, include, want }) => {
    fake.files = files.map(gguf)
    const report = await pull('owner/name', include ? { include } : {})
    expect(report.files).toEqual(want.toSorted())
  })

  test('go when the model is removed, but for those that another one has, too', async () => {
    await pull()
    const cache = new RepositoryCache(root)
    const checksum = { algorithm: 'git', hex: gitName(config) } as const
    const shared = [{ path: 'config.json', bytes: config.length, url: '', checksum }]
    await cache.add({ repository: 'owner/copy', revision: 'main' }, 'e'.repeat(40), shared)
    expect(await cache.remove('owner/name')).toBe(weights.length)
    expect(await cache.remove('owner/name')).toBeUndefined()
    expect((await cache.list()).map(({ repository, bytes }) => [repository, bytes])).toEqual([
      ['owner/copy', config.length],
    ])
    expect(await cache.remove('owner/copy')).toBe(config.length)
    expect(await readdir(path.join(root, 'blobs'))).toEqual([])
  })
})

test.for([
  { text: 'owner/name', want: { repository: 'owner/name', revision: 'main' } },
  { text: 'owner/na.me-7B@refs/pr/1', want: { repository: 'owner/na.me-7B', revision: 'refs/pr/1' } },
  ...[
    'name',
    'a/b/c',
    '../name',
    'owner/..',
    'o/n@',
    'o/n@../x',
    '/owner/name',
    './name',
    'owner/na me',
    '__proto__/x',
  ].map(text => ({ text, want: undefined })),
])('reads the name $text', ({ text, want }) => {
  expect(repositoryName(text)).toEqual(want)
})

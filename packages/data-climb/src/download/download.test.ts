import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { listDatasets } from '../datasets/registry.ts'
import { tarGzOf, zipOf } from './archive.testing.ts'
import { downloadDataset, type DownloadOptions } from './download-dataset.ts'
import { fetchFile } from './fetch-file.ts'
import type { Hosts } from './listings.ts'
import type { DownloadSource } from '../dataset/download-source.ts'
import { downloadSource, howToGet, parseDownloadSource } from './sources.ts'

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void

const content = randomBytes(300_000)
const sha256 = createHash('sha256').update(content).digest('hex')
const etag = '"v1"'

let folder = ''
let server: Server
let base = ''
let handler: Handler = () => undefined
let requests: IncomingMessage[] = []
let number = 0
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-download-'))
  server = createServer((request, response) => {
    requests.push(request)
    handler(request, response, requests.length)
  })
  base = await listening(server)
})
afterEach(() => {
  requests = []
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await rm(folder, { recursive: true, force: true })
})

async function listening(one: Server): Promise<string> {
  await new Promise<void>(resolve => one.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(one.address() as AddressInfo).port}` // listens on TCP
}

const quick = { pauseMs: 1, timeoutMs: 300, attempts: 4 }
const startOf = ({ headers }: IncomingMessage): number => Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0)

/** Answers like an honest server, from where it is asked, and cuts the connection after some bytes. */
function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { bytes = content, tag = etag, cutAfter = Infinity }: { bytes?: Buffer; tag?: string; cutAfter?: number } = {},
): void {
  const isSame = request.headers['if-range'] === undefined || request.headers['if-range'] === tag
  const start = isSame ? startOf(request) : 0
  response.writeHead(start > 0 ? 206 : 200, {
    etag: tag,
    'content-length': bytes.length - start,
    ...(start > 0 && { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` }),
  })
  const rest = bytes.subarray(start)
  if (rest.length <= cutAfter) response.end(rest)
  else response.write(rest.subarray(0, cutAfter), () => setTimeout(() => response.destroy(), 20))
}

/** One server in the place of every host. */
function hostsAt(url: string): Hosts {
  return {
    physionet: url,
    kaggle: url,
    'kaggle-competition': url,
    github: url,
    zenodo: url,
    huggingface: url,
    tcia: url,
    'tcia-pages': url,
    'kits-imaging': url,
  }
}

function serve(files: Readonly<Record<string, Buffer | string>>): void {
  handler = (request, response) => {
    const body = files[decodeURIComponent(request.url ?? '')]
    if (body === undefined) response.writeHead(404).end()
    else answer(request, response, { bytes: Buffer.from(body) })
  }
}

function sum(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** A record as Zenodo describes it. */
function record(files: readonly object[]): string {
  return JSON.stringify({ files })
}

async function fetched(options: { checksum?: string } = {}): Promise<Buffer> {
  const file = path.join(folder, `file-${number++}`)
  const checksum = { algorithm: 'sha256', hex: options.checksum ?? sha256 } as const
  await fetchFile({ url: `${base}/file`, file, checksum }, quick)
  expect((await readdir(folder)).filter(name => name.includes('.part'))).toEqual([])
  return readFile(file)
}

/** Sends a piece every few milliseconds, and never ends. */
const endless =
  (piece: Buffer, everyMs: number): Handler =>
  (_request, response) => {
    response.writeHead(200, { etag })
    const timer = setInterval(() => response.write(piece), everyMs)
    response.once('close', () => clearInterval(timer))
  }

describe('fetchFile', () => {
  test.for<{ name: string; handle: Handler; tries: number }>([
    { name: 'an honest server', handle: (request, response) => answer(request, response), tries: 1 },
    {
      name: 'a server that cuts every connection, in three parts',
      handle: (request, response) => answer(request, response, { cutAfter: 120_000 }),
      tries: 3,
    },
    {
      name: 'a server that knows no ranges and answers 200',
      handle: (request, response, count) => {
        delete request.headers.range
        answer(request, response, count === 1 ? { cutAfter: 90_000 } : {})
      },
      tries: 2,
    },
    {
      name: 'a server that answers with another range',
      handle: (request, response, count) => {
        if (count !== 2) return answer(request, response, count === 1 ? { cutAfter: 90_000 } : {})
        const start = startOf(request) - 10
        response.writeHead(206, { etag, 'content-range': `bytes ${start}-299999/300000` }).end(content.subarray(start))
      },
      tries: 3,
    },
    {
      name: 'a server that lies about the range it sends',
      handle: (request, response, count) => {
        if (count !== 2) return answer(request, response, count === 1 ? { cutAfter: 90_000 } : {})
        const start = startOf(request)
        const shifted = Buffer.concat([content.subarray(start + 1), Buffer.from('x')])
        response.writeHead(206, { etag, 'content-range': `bytes ${start}-299999/300000` }).end(shifted)
      },
      tries: 3,
    },
    {
      name: 'a server that has another version after a cut, and ignores If-Range',
      handle: (request, response, count) => {
        if (count === 1)
          return answer(request, response, { bytes: randomBytes(300_000), tag: '"v0"', cutAfter: 90_000 })
        delete request.headers['if-range']
        answer(request, response)
      },
      tries: 3,
    },
    {
      name: 'a server that has another version after a cut',
      handle: (request, response, count) =>
        answer(request, response, count === 1 ? { bytes: randomBytes(300_000), tag: '"v0"', cutAfter: 90_000 } : {}),
      tries: 2,
    },
    {
      name: 'a server that is busy (429, 503)',
      handle: (request, response, count) => {
        if (count > 2) return answer(request, response)
        response.writeHead(count === 1 ? 429 : 503, { 'retry-after': '0' }).end()
      },
      tries: 3,
    },
    {
      name: 'a server that does not answer at first',
      handle: (request, response, count) => (count === 1 ? undefined : answer(request, response)),
      tries: 2,
    },
    {
      name: 'a server that falls silent within the body',
      handle: (request, response, count) => {
        if (count > 1) return answer(request, response)
        response.writeHead(200, { etag, 'content-length': content.length }).write(content.subarray(0, 70_000))
      },
      tries: 2,
    },
  ])('gets the file from $name', async ({ handle, tries }) => {
    handler = handle
    expect((await fetched()).equals(content)).toBe(true)
    expect(requests).toHaveLength(tries)
  })

  test('waits as long as the server asks', async () => {
    const times: number[] = []
    handler = (request, response, count) => {
      times.push(performance.now())
      if (count > 1) return answer(request, response)
      response.writeHead(503, { 'retry-after': '1' }).end()
    }
    await fetched()
    expect(times[1]! - times[0]!).toBeGreaterThan(950)
  })

  test('goes on in a later run', async () => {
    const file = path.join(folder, 'later')
    handler = (request, response) => {
      if (requests.length === 1) return answer(request, response, { cutAfter: 100_000 })
      response.writeHead(404).end()
    }
    await expect(fetchFile({ url: `${base}/file`, file }, quick)).rejects.toMatchObject({
      code: 'DATA_DOWNLOAD_FAILED',
    })
    handler = (request, response) => answer(request, response)
    await fetchFile({ url: `${base}/file`, file, checksum: { algorithm: 'sha256', hex: sha256 } }, quick)
    expect(startOf(requests.at(-1)!)).toBe(100_000)
    expect((await readFile(file)).equals(content)).toBe(true)
  })

  test('leaves nothing of a file whose checksum is wrong', async () => {
    handler = (request, response) => answer(request, response)
    await expect(fetched({ checksum: '0'.repeat(64) })).rejects.toMatchObject({ code: 'DATA_CHECKSUM_WRONG' })
    expect((await readdir(folder)).filter(name => name.startsWith(`file-${number - 1}`))).toEqual([])
  })

  test('gives up when nothing comes any more, and says why', async () => {
    handler = (_request, response) => response.writeHead(500).end()
    await expect(fetched()).rejects.toMatchObject({
      code: 'DATA_DOWNLOAD_FAILED',
      message: expect.stringContaining('500'),
    })
    expect(requests).toHaveLength(quick.attempts)
  })

  test.for<{ name: string; handle: Handler; bytes?: number; maxBytes?: number; want: RegExp; tries: number }>([
    {
      name: 'a body that goes on behind its stated size',
      handle: endless(content, 1),
      bytes: 1000,
      want: /more than the 1000 bytes/,
      tries: 1,
    },
    {
      name: 'a body without end whose size nobody says',
      handle: endless(content, 1),
      maxBytes: 500_000,
      want: /more than 500000 bytes/,
      tries: 1,
    },
    { name: 'a few bytes at a time for ever', handle: endless(Buffer.from('x'), 20), want: /too slowly/, tries: 4 },
    {
      name: 'fewer bytes than stated',
      handle: (request, response) => answer(request, response),
      bytes: 300_001,
      want: /300000 bytes, and should have 300001/,
      tries: 1,
    },
    {
      name: 'more bytes than stated',
      handle: (request, response) => answer(request, response),
      bytes: 299_999,
      want: /more than the 299999 bytes/,
      tries: 1,
    },
  ])('refuses $name, and leaves nothing of it', async ({ handle, bytes, maxBytes, want, tries }) => {
    handler = handle
    const file = path.join(folder, `refused-${number++}`)
    const asked = fetchFile(
      { url: `${base}/file`, file, ...(bytes !== undefined && { bytes }) },
      { ...quick, ...(maxBytes !== undefined && { maxBytes }) },
    )
    await expect(asked).rejects.toMatchObject({
      code: 'DATA_DOWNLOAD_FAILED',
      message: expect.stringMatching(want) as string,
    })
    expect(requests.length).toBe(tries)
    const left = (await readdir(folder)).filter(name => name.startsWith(path.basename(file)))
    expect(left.filter(name => !/too slowly/.test(String(want)) || !name.includes('.part'))).toEqual([])
  })

  test('stops when asked', async () => {
    const controller = new AbortController()
    handler = () => controller.abort(new Error('enough'))
    const file = path.join(folder, 'stopped')
    await expect(fetchFile({ url: `${base}/file`, file }, { ...quick, signal: controller.signal })).rejects.toThrow(
      /enough|abort/,
    )
    expect(requests).toHaveLength(1)
  })
})

describe('credentials', () => {
  const authorization = 'Basic c2VjcmV0OnNlY3JldA=='
  const target = () => ({
    url: `${base}/file?signature=hidden`,
    file: path.join(folder, `auth-${number++}`),
    authorization,
  })

  test('are sent to the source and not to where it redirects', async () => {
    let seen: IncomingMessage['headers'] | undefined
    const other = createServer((request, response) => {
      seen = request.headers
      answer(request, response)
    })
    const elsewhere = await listening(other)
    handler = (_request, response) => response.writeHead(302, { location: `${elsewhere}/signed` }).end()
    await fetchFile(target(), quick)
    other.close()
    expect(requests[0]?.headers.authorization).toBe(authorization)
    expect(seen).toBeDefined()
    expect(seen?.authorization).toBeUndefined()
  })

  test('come back when a redirect stays at home', async () => {
    handler = (request, response) =>
      request.url === '/next' ? answer(request, response) : response.writeHead(307, { location: '/next' }).end()
    await fetchFile(target(), quick)
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([authorization, authorization])
  })

  test('are in no error', async () => {
    handler = (_request, response) => response.writeHead(401).end()
    const error: unknown = await fetchFile(target(), quick).catch((cause: unknown) => cause)
    expect(error).toMatchObject({ code: 'DATA_DOWNLOAD_DENIED' })
    expect(JSON.stringify(error)).not.toMatch(/c2Vj|hidden|signature/)
  })

  test.for(['http://127.0.0.1:1/endless', 'ftp://127.0.0.1/x', 'http://[', 'https://:x'])(
    'are not followed to %s',
    async location => {
      handler = (_request, response) =>
        response.writeHead(302, { location: location.includes('endless') ? '/again' : location }).end()
      await expect(fetchFile(target(), quick)).rejects.toMatchObject({ code: 'DATA_DOWNLOAD_FAILED' })
    },
  )
})

describe('downloadDataset', () => {
  const secrets: Record<string, string> = {
    PHYSIONET_USERNAME: 'me',
    PHYSIONET_PASSWORD: 'pa:ss',
    KAGGLE_USERNAME: 'me',
    KAGGLE_KEY: 'key',
  }
  const download = (dataset: string, options: Partial<DownloadOptions> = {}) =>
    downloadDataset(dataset, {
      root: path.join(folder, `set-${number++}`),
      hosts: hostsAt(base),
      secret: async name => secrets[name],
      ...quick,
      ...options,
    })

  test('fetches a PhysioNet project, verifies it, and does nothing the second time', async () => {
    const at = '/files/vindr-mammo/1.0.0'
    serve({
      [`${at}/SHA256SUMS.txt`]: `${sum('one')} a.csv\n${sum('two')} images/b c.dicom\n`,
      [`${at}/a.csv`]: 'one',
      [`${at}/images/b c.dicom`]: 'two',
    })
    const root = path.join(folder, 'vindr')
    const report = await download('vindr_mammo', { root })
    expect(report).toMatchObject({ files: 2, earlier: 0, bytes: 6 })
    expect(await readFile(path.join(root, 'images/b c.dicom'), 'utf8')).toBe('two')
    expect(requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('me:pa:ss').toString('base64')}`)
    expect(await download('vindr_mammo', { root })).toMatchObject({ files: 2, earlier: 2, bytes: 0 })
  })

  test.for<{
    dataset: string
    source?: DownloadSource
    files: Record<string, Buffer | string>
    want: Record<string, string>
  }>([
    {
      dataset: 'busi',
      files: {
        '/api/v1/datasets/download/aryashah2k/breast-ultrasound-images-dataset': zipOf([
          { path: 'B/x.png', data: 'p' },
        ]),
      },
      want: { 'B/x.png': 'p' },
    },
    {
      dataset: 'aptos_2019',
      files: {
        '/api/v1/competitions/data/download-all/aptos2019-blindness-detection': zipOf([{ path: 't.csv', data: 'c' }]),
      },
      want: { 't.csv': 'c' },
    },
    {
      dataset: 'covid_blues',
      files: { '/NinaWie/COVID-BLUES/tar.gz/main': tarGzOf([{ path: 'COVID-BLUES-main/v.mp4', data: 'v' }]) },
      want: { 'v.mp4': 'v' },
    },
    {
      dataset: 'lndb',
      source: parseDownloadSource('tcia:CMMD'),
      files: {
        '/nbia-api/services/v1/getSeries?Collection=CMMD': JSON.stringify([
          { SeriesInstanceUID: '1.2.3', FileSize: 4 },
        ]),
        '/nbia-api/services/v1/getImage?SeriesInstanceUID=1.2.3': zipOf([{ path: '1-1.dcm', data: 'd' }]),
      },
      want: { 'CMMD/1.2.3/1-1.dcm': 'd' },
    },
    {
      dataset: 'lndb',
      source: parseDownloadSource('huggingface:owner/name'),
      files: {
        '/api/datasets/owner/name/tree/main?recursive=true': JSON.stringify([
          { type: 'directory', path: 'data' },
          { type: 'file', path: 'data/a.bin', size: 3, lfs: { oid: sum('bin') } },
        ]),
        '/datasets/owner/name/resolve/main/data/a.bin': 'bin',
      },
      want: { 'data/a.bin': 'bin' },
    },
  ])('fetches $dataset from its source', async ({ dataset, source, files, want }) => {
    serve(files)
    const root = path.join(folder, `source-${dataset}-${number++}`)
    await download(dataset, { root, ...(source && { source }) })
    for (const [name, text] of Object.entries(want)) expect(await readFile(path.join(root, name), 'utf8')).toBe(text)
    expect((await readdir(root, { recursive: true })).filter(name => /\.(zip|gz|part)$/.test(name))).toEqual([])
    expect(await download(dataset, { root, ...(source && { source }) })).toMatchObject({ bytes: 0 })
  })

  const zenodo = parseDownloadSource('zenodo:77')

  test('verifies the MD5 of a Zenodo record', async () => {
    const md5 = createHash('md5').update('nodules').digest('hex')
    const file = { key: 'n.csv', size: 7, checksum: `md5:${md5}`, links: { self: `${base}/content` } }
    serve({ '/api/records/77': record([file]), '/content': 'nodules' })
    await download('lndb', { source: zenodo, root: path.join(folder, 'zenodo') })
    expect(await readFile(path.join(folder, 'zenodo/n.csv'), 'utf8')).toBe('nodules')
    serve({ '/api/records/77': record([file]), '/content': 'changed' })
    await expect(download('lndb', { source: zenodo })).rejects.toMatchObject({ code: 'DATA_CHECKSUM_WRONG' })
  })

  test.for([
    { name: 'a disk without room', size: 1e17, key: 'x.bin', code: 'DATA_DISK_FULL' },
    { name: 'a path that leaves the folder', size: 1, key: '../x.bin', code: 'DATA_PATH_UNSAFE' },
  ])('refuses $name before anything is fetched', async ({ size, key, code }) => {
    serve({
      '/api/records/77': record([{ key, size, checksum: 'md5:00', links: { self: `${base}/content` } }]),
      '/content': 'x',
    })
    await expect(download('lndb', { source: zenodo })).rejects.toMatchObject({ code })
    expect(requests.map(({ url }) => url)).toEqual(['/api/records/77'])
  })

  test.for(['no address', 'file:///etc/passwd', 'ftp://127.0.0.1/x', '', 'http://['])(
    'refuses a list whose file lies at "%s"',
    async self => {
      serve({ '/api/records/77': record([{ key: 'x.bin', size: 1, checksum: 'md5:00', links: { self } }]) })
      await expect(download('lndb', { source: zenodo })).rejects.toMatchObject({ code: 'DATA_LISTING_INVALID' })
    },
  )

  test('refuses a list that comes a byte at a time', async () => {
    handler = (_request, response) => {
      response.writeHead(200)
      const timer = setInterval(() => response.write(' '), 20)
      response.once('close', () => clearInterval(timer))
    }
    await expect(download('lndb', { source: zenodo })).rejects.toMatchObject({ code: 'DATA_DOWNLOAD_FAILED' })
  })

  test('holds a file to the size that its list says', async () => {
    serve({
      '/api/records/77': record([{ key: 'x.bin', size: 3, checksum: 'none', links: { self: `${base}/content` } }]),
      '/content': 'four',
    })
    await expect(download('lndb', { source: zenodo })).rejects.toMatchObject({ code: 'DATA_DOWNLOAD_FAILED' })
  })

  test.for([
    { name: 'a list that is not JSON', body: '<html>' },
    { name: 'a list of another shape', body: '{"files":[{"key":1}]}' },
  ])('refuses $name', async ({ body }) => {
    serve({ '/api/records/77': body })
    await expect(download('lndb', { source: zenodo })).rejects.toMatchObject({ code: 'DATA_LISTING_INVALID' })
  })

  test('refuses what only a person can fetch, and what needs credentials that are not there', async () => {
    await expect(download('chexpert')).rejects.toMatchObject({ code: 'DATA_DOWNLOAD_MANUAL' })
    await expect(download('mini_clinic_ct')).rejects.toMatchObject({ code: 'DATA_DOWNLOAD_MANUAL' })
    await expect(download('busi', { secret: async () => undefined })).rejects.toMatchObject({
      code: 'DATA_CREDENTIALS_MISSING',
    })
    expect(requests).toEqual([])
  })
})

describe('the table of sources', () => {
  test('has a row for every dataset that is not generated', () => {
    const missing = listDatasets().filter(
      ({ id, access }) => (downloadSource(id) === undefined) !== (access === 'generated'),
    )
    expect(missing.map(({ id }) => id)).toEqual([])
    expect(listDatasets().map(({ id }) => howToGet(id))).not.toContain('')
  })

  test.for(['zenodo', 'ftp:x', 'zenodo:', 'github:../x'])('takes no source such as %s', text => {
    expect(() => parseDownloadSource(text)).toThrow(expect.objectContaining({ code: 'DATA_OPTION_INVALID' }))
  })
})

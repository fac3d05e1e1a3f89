import { createServer as createHttpServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createServer } from '../create-server.ts'
import { fakePolicy } from '../fake-policy.testing.ts'
import { remoteAddresses } from '../security/remote-addresses.testing.ts'
import { mayBeConnected, networksOf } from './public-address.ts'
import { createRemoteMedia, type RemoteMediaOptions } from './remote-media.ts'

/** The machine that may be asked, and one that may not: both are this one, by two of its addresses. */
const [allowedAddress, otherAddress] = ['127.0.0.2', '127.0.0.1']
let picture: Buffer
let [asked, port]: [string[], number] = [[], 0]
let servers: Server[] = []

/** What the media host answers, by path. */
const answers: Record<string, (response: ServerResponse) => void> = {
  '/a.png': response => response.end(picture),
  '/redirect': response => response.writeHead(302, { location: `http://${otherAddress}:${port}/a.png` }).end(),
  '/claims-much': response => response.writeHead(200, { 'content-length': 10_000_000 }).flushHeaders(),
  '/sends-much': response => response.end(Buffer.alloc(200_000)),
  '/stops': response => response.write('x'),
  '/upgrade': response =>
    response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
  '/text': response => response.end('<svg xmlns="http://www.w3.org/2000/svg"/>'),
}

beforeAll(async () => {
  picture = await sharp({ create: { width: 40, height: 30, channels: 3, background: '#777' } })
    .png()
    .toBuffer()
  for (const address of [allowedAddress, otherAddress]) {
    const server = createHttpServer((request, response) => {
      asked.push(`${address}${request.url} ${Object.keys(request.headers).toSorted().join(',')}`)
      const answer = answers[request.url ?? '']
      if (answer) answer(response)
      else response.writeHead(404).end()
    })
    await new Promise<void>(resolve => {
      server.listen(port, address, resolve)
    })
    port = (server.address() as AddressInfo).port // it listens on a port; the second one takes the same
    servers.push(server)
  }
})
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
})

const resolvesTo =
  (...addresses: string[]) =>
  async () =>
    addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 }))

function fetching(options: Partial<RemoteMediaOptions> = {}) {
  const resolve = resolvesTo(allowedAddress)
  const hosts = [`images.test:${port}`]
  const fetchMedia = createRemoteMedia({ hosts, networks: [allowedAddress], maxBytes: 100_000, resolve, ...options })
  return async (path: string, signal?: AbortSignal) => {
    asked = []
    const url = path.startsWith('/') ? `http://images.test:${port}${path}` : path
    return fetchMedia(url, 'messages.0', signal ? { signal } : {})
  }
}

const failsWith = (message: RegExp) =>
  expect.objectContaining({ code: 'SERVER_REMOTE_MEDIA_FAILED', message: expect.stringMatching(message) })

describe('a picture of an allowed host', () => {
  test('is fetched, and nothing of the client is sent on', async () => {
    expect(Buffer.from(await fetching()('/a.png')).equals(picture)).toBe(true)
    expect(asked).toEqual([`${allowedAddress}/a.png accept,accept-encoding,connection,host,user-agent`])
  })

  test.for<[string, RegExp]>([
    ['/redirect', /status 302/],
    ['/nothing', /status 404/],
    ['/claims-much', /more than 100000 bytes/],
    ['/sends-much', /more than 100000 bytes/],
    ['/upgrade', /was not answered/],
  ])('%s is refused', async ([path, why]) => {
    await expect(fetching()(path)).rejects.toEqual(failsWith(why))
    expect(asked).toHaveLength(1)
  })

  test('has to be there in time', async () => {
    await expect(fetching({ timeoutMs: 200 })('/stops')).rejects.toEqual(failsWith(/not there after 0.2 s/))
  })

  test('is left when the client goes away', async () => {
    const gone = new Error('gone')
    const controller = new AbortController()
    const fetched = fetching()('/stops', controller.signal)
    setTimeout(() => controller.abort(gone), 50)
    await expect(fetched).rejects.toBe(gone)
  })
})

describe('an address that may not be connected', () => {
  test.for([
    { name: 'lies elsewhere', addresses: [otherAddress] },
    { name: 'is one of two', addresses: [allowedAddress, otherAddress] },
    { name: 'is written in IPv6', addresses: [`::ffff:${otherAddress}`] },
  ])('is not asked when it $name', async ({ addresses }) => {
    await expect(fetching({ resolve: resolvesTo(...addresses) })('/a.png')).rejects.toEqual(failsWith(/not allowed/))
    expect(asked).toEqual([])
  })

  test('is not asked when a name changes between two looks', async () => {
    const looks = [allowedAddress, otherAddress]
    const fetchMedia = fetching({ resolve: async () => resolvesTo(looks.shift() ?? otherAddress)() })
    await fetchMedia('/a.png')
    expect(looks).toEqual([otherAddress]) // it was looked up once: what was checked is what was connected
    await expect(fetchMedia('/a.png')).rejects.toEqual(failsWith(/not allowed/))
    expect(asked).toEqual([])
  })

  test('is not asked when the host is an address itself', async () => {
    const hosts = [`${otherAddress}:${port}`]
    const fetchMedia = fetching({ hosts })
    await expect(fetchMedia(`http://${otherAddress}:${port}/a.png`)).rejects.toEqual(failsWith(/not allowed/))
    expect(asked).toEqual([])
  })
})

describe('another host', () => {
  test('is not asked, however it is written', async () => {
    const fetchMedia = fetching({ networks: ['127.0.0.0/8'] })
    const host = `images.test:${port}`
    const urls = [
      ...remoteAddresses(`${otherAddress}:${port}`),
      `http://images.test/a.png`,
      `http://user@${host}/a.png`,
      `http://images.test.:${port}/a.png`,
      `http://a.images.test:${port}/a.png`,
      `ftp://${host}/a.png`,
      `http:${host}/a.png`,
      ` http://${host}/a.png`,
    ]
    for (const url of urls)
      await expect(fetchMedia(url.startsWith('/') ? `\\${url}` : url), `at ${url}`).rejects.toMatchObject({
        code: 'SERVER_REMOTE_URL_REFUSED',
      })
    expect(asked).toEqual([])
  })
})

describe('hosts', () => {
  test.for(['https://images.test/', 'images.test/a', 'user@images.test', '', 'a b', 'images.test:x'])(
    'refuses %s',
    host => {
      expect(() => fetching({ hosts: [host] })).toThrow(expect.objectContaining({ code: 'SERVER_MEDIA_HOST_INVALID' }))
    },
  )

  test.for([
    ['images.test:443', 'https://images.test/a.png', true],
    ['images.test:443', 'http://images.test:443/a.png', true],
    ['images.test:443', 'http://images.test/a.png', false],
    ['images.test:80', 'https://images.test/a.png', false],
    ['images.test:80', 'http://images.test/a.png', true],
    ['images.test', 'https://images.test/a.png', true],
    ['images.test', 'http://images.test:8080/a.png', false],
  ] as const)('%s as allowed host lets %s be asked: %j', async ([host, url, isAllowed]) => {
    const fetchMedia = fetching({ hosts: [host], resolve: resolvesTo('10.0.0.1') }) // where nothing may be connected
    const code = isAllowed ? 'SERVER_REMOTE_MEDIA_FAILED' : 'SERVER_REMOTE_URL_REFUSED'
    await expect(fetchMedia(url)).rejects.toMatchObject({ code })
  })

  test('are the same in capitals', async () => {
    expect((await fetching({ hosts: [`Images.TEST:${port}`] })('/a.png')).length).toBe(picture.length)
  })
})

describe('networks', () => {
  test.for([
    ['8.8.8.8', true],
    ['2606:4700:4700::1111', true],
    ['10.1.2.3', false],
    ['100.64.0.1', false],
    ['169.254.169.254', false],
    ['172.31.255.255', false],
    ['192.168.0.1', false],
    ['0.0.0.0', false],
    ['255.255.255.255', false],
    ['::', false],
    ['::1', false],
    ['::ffff:8.8.8.8', false],
    ['64:ff9b::7f00:1', false],
    ['2002:7f00:1::', false],
    ['fd00:ec2::254', false],
    ['fe80::1', false],
    ['ff02::1', false],
    ['example.org', false],
  ] as const)('%s: %s', ([address, may]) => {
    expect(mayBeConnected(address, networksOf([]))).toBe(may)
  })

  test('one that is named may be connected', () => {
    const allowed = networksOf(['10.1.0.0/16', 'fd12::/32', '192.168.0.7'])
    const found = ['10.1.2.3', '10.2.0.0', 'fd12:0:1::1', 'fd13::1', '192.168.0.7', '192.168.0.8']
    expect(found.map(address => mayBeConnected(address, allowed))).toEqual([true, false, true, false, true, false])
  })

  test.for(['10.0.0.0/33', '10.0.0.0/', '10.0.0/8', 'example.org', '10.0.0.0/8/8 ', ''])('refuses %s', network => {
    expect(() => networksOf([network])).toThrow(expect.objectContaining({ code: 'SERVER_NETWORK_INVALID' }))
  })
})

const body = (path: string) => ({
  messages: [
    { role: 'user', content: [{ type: 'image_url', image_url: { url: `http://${allowedAddress}:${port}${path}` } }] },
  ],
})

describe('a chat', () => {
  test('is shown a picture by its address where the operator allows the host', async () => {
    const policy = fakePolicy()
    const app = createServer({ policy, mediaHosts: [`${allowedAddress}:${port}`], mediaNetworks: [allowedAddress] })
    const post = async (path: string) =>
      app.inject({ method: 'POST', url: '/v1/chat/completions', payload: body(path) })
    expect((await post('/a.png')).statusCode).toBe(200)
    expect(policy.requests[0]?.prompt).toMatchObject([
      { content: [{ type: 'image', image: { width: 40, height: 30 } }] },
    ])
    expect((await post('/text')).json().error.code).toBe('SERVER_IMAGE_FORMAT')
    expect((await post('/redirect')).json().error.code).toBe('SERVER_REMOTE_MEDIA_FAILED')
    expect(policy.requests).toHaveLength(1)
    await app.close()
  })
})

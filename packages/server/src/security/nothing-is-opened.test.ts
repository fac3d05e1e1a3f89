import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createServer } from '../create-server.ts'
import { fakePolicy } from '../fake-policy.testing.ts'
import { remoteAddresses } from './remote-addresses.testing.ts'
import { traversalVectors } from './traversal-vectors.testing.ts'

const secret = 'the secret beside the folder'
let folder = ''
let canary = ''
let listener: Server
let asked = 0
const policy = fakePolicy({ words: ['<think>x</think>\\boxed{A}'] })
const app = createServer({ policy })

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-opened-'))
  await writeFile(path.join(folder, 'secret.txt'), secret)
  await writeFile(path.join(folder, 'secret.dat'), Buffer.alloc(4000, 1))
  listener = createTcpServer(socket => {
    asked++
    socket.end('HTTP/1.1 302 Found\r\nlocation: /canary.png\r\n\r\n')
  })
  await new Promise<void>(resolve => {
    listener.listen(0, '127.0.0.1', resolve)
  })
  canary = `127.0.0.1:${(listener.address() as AddressInfo).port}` // it listens on a port
})
afterAll(async () => {
  listener.close()
  await app.close()
  await rm(folder, { recursive: true, force: true })
})

const post = async (url: string, payload: object) => app.inject({ method: 'POST', url, payload })
const image = (url: string) => ({
  messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }],
})
const fileOf = (text: string | Buffer, name?: string) => ({ name, data: Buffer.from(text).toString('base64') })
const diagnose = async (...files: object[]) => post('/v1/diagnose', { files, labels: ['A', 'B'] })

describe('an address in a request', () => {
  test('is asked by no route, whatever its form', async () => {
    const addresses = remoteAddresses(canary)
    expect(addresses.length).toBeGreaterThanOrEqual(60)
    for (const url of addresses) {
      const bodies: [string, object][] = [
        ['/v1/chat/completions', image(url)],
        [
          '/v1/chat/completions',
          { messages: [{ role: 'user', content: [{ type: 'file', file: { file_data: url } }] }] },
        ],
        ['/v1/diagnose', { files: [{ data: url }], labels: ['A', 'B'] }],
        ['/v1/view', { files: [{ data: url }] }],
      ]
      for (const [route, body] of bodies) {
        const { statusCode, json } = await post(route, body)
        expect(statusCode, `${route} ${url}`).toBe(400)
        expect(json().error.code, `${route} ${url}`).toMatch(
          /^SERVER_(REMOTE_URL_REFUSED|DATA_URL_INVALID|IMAGE_FORMAT)$|^DATA_/,
        )
      }
    }
    expect(policy.requests).toEqual([])
    expect(asked).toBe(0)
  })
})

const documents = (): [string, string | Buffer, string][] => [
  ['a picture of vectors', `<svg xmlns="http://www.w3.org/2000/svg"><image href="http://${canary}/a"/></svg>`, 'a.svg'],
  ['a playlist', `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://${canary}/a.ts\n#EXT-X-ENDLIST\n`, 'a.m3u8'],
  ['a list of films', `ffconcat version 1.0\nfile http://${canary}/a.mp4\nfile /etc/passwd\n`, 'a.mp4'],
  [
    'a stream description',
    `v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video ${canary.split(':')[1]} RTP/AVP 96\n`,
    'a.sdp',
  ],
  [
    'a manifest',
    `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>http://${canary}/</BaseURL></MPD>`,
    'a.mpd',
  ],
  [
    'an external entity',
    `<?xml version="1.0"?><!DOCTYPE AnnotatedECG [<!ENTITY x SYSTEM "http://${canary}/a"><!ENTITY y SYSTEM "file:///etc/passwd">]><AnnotatedECG xmlns="urn:hl7-org:v3">&x;&y;</AnnotatedECG>`,
    'a.xml',
  ],
  [
    'a document type',
    `<?xml version="1.0"?><!DOCTYPE RestingECG SYSTEM "http://${canary}/a.dtd"><RestingECG/>`,
    'a.xml',
  ],
  [
    'entities that grow',
    `<?xml version="1.0"?><!DOCTYPE restingecgdata [${Array.from({ length: 12 }, (_, i) => `<!ENTITY l${i} "${i === 0 ? 'ha' : `&l${i - 1};`.repeat(10)}">`).join('')}]><restingecgdata>&l11;</restingecgdata>`,
    'a.xml',
  ],
  ['a volume whose values lie elsewhere', metaImage('secret.dat'), 'a.mhd'],
  ['a volume at an address', metaImage(`http://${canary}/a.raw`), 'a.mha'],
  ['a volume in a list of files', metaImage('LIST\n/etc/passwd'), 'a.mha'],
  ['a recording whose signal lies elsewhere', header('secret.dat'), 'rec.hea'],
  ['a recording at an address', header(`http://${canary}/a.dat`), 'rec.hea'],
]

describe('what a file names', () => {
  test('is not opened', async () => {
    for (const [what, text, name] of documents())
      for (const url of ['/v1/diagnose', '/v1/view']) {
        const response = await post(url, {
          files: [fileOf(text, name)],
          ...(url === '/v1/diagnose' && { labels: ['A', 'B'] }),
        })
        expect([response.statusCode, response.json().error?.code], `${what} ${url}`).toEqual([
          400,
          expect.stringMatching(/^(DATA|WFDB|SERVER)_/),
        ])
        expect(response.body).not.toContain('root:')
      }
    expect(asked).toBe(0)
  })

  test('no name of a file leads out of the request', async () => {
    const up = path.join(folder, 'secret.dat')
    for (const vector of [...traversalVectors, up, path.relative(process.cwd(), up)]) {
      const refused = await diagnose(fileOf(header(vector), 'rec.hea'))
      expect(refused.statusCode, `name ${vector}`).toBe(400)
      expect(refused.body, `name ${vector}`).not.toContain(secret)
      // A picture stays the one that was sent, whatever it is called.
      const named = await diagnose({ ...fileOf('none'), name: vector.slice(0, 255) })
      expect([named.statusCode, named.body.includes(secret)], `name ${vector}`).toEqual([400, false])
    }
  })
})

function metaImage(dataFile: string): string {
  return `ObjectType = Image\nNDims = 3\nDimSize = 10 10 10\nElementType = MET_SHORT\nElementDataFile = ${dataFile}\n`
}

function header(dataFile: string): string {
  return `rec 1 500 1000 0\n${dataFile} 16 1000(0)/mV 16 0 0 0 0 I\n`
}

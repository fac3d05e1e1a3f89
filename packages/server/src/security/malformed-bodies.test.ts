import { readFileSync } from 'node:fs'
import path from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { deflateSync, gzipSync } from 'node:zlib'
import { encodeNifti } from '@qoq-med/data-climb'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { createServer } from '../create-server.ts'
import { fakePolicy } from '../fake-policy.testing.ts'
import { smallCt } from '../small-ct.testing.ts'

interface BadFile {
  readonly how: string
  readonly name: string
  readonly bytes: Uint8Array
}

const fixtures = path.resolve(import.meta.dirname, '../../../data-climb/fixtures')
const fixture = (name: string): Buffer => readFileSync(path.join(fixtures, name))
const affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]
const volume = encodeNifti({
  shape: [8, 8, 8],
  dtype: 'int16',
  voxels: new Int16Array(512).map((_, i) => i),
  slope: 1,
  intercept: 0,
  spacing: [1, 1, 1],
  affine,
  warnings: [],
})
const metaImage = Buffer.concat([
  Buffer.from('ObjectType = Image\nNDims = 3\nDimSize = 8 8 8\nElementType = MET_SHORT\nElementDataFile = LOCAL\n'),
  Buffer.alloc(1024, 7),
])

/** A whole file of every kind that is read. */
async function wholeFiles(): Promise<[name: string, bytes: Uint8Array][]> {
  const pixels = { width: 24, height: 24, channels: 3 as const }
  const noise = Uint8Array.from({ length: 24 * 24 * 3 }, (_, i) => (i * 97) % 251)
  const picture = sharp(noise, { raw: pixels })
  return [
    ['a.png', await picture.clone().png().toBuffer()],
    ['a.jpg', await picture.clone().jpeg().toBuffer()],
    ['a.gif', await picture.clone().gif().toBuffer()],
    ['a.webp', await picture.clone().webp().toBuffer()],
    ['a.bmp', fixture('images/decode.bmp')],
    ['a.dcm', smallCt],
    ['a.nii', volume],
    ['a.nii.gz', gzipSync(volume)],
    ['a.mha', metaImage],
    ['ecg.dcm', fixture('ecg-files/twelve.dcm')],
    ['a.xml', fixture('ecg-files/twelve.aecg.xml')],
    ['b.xml', fixture('ecg-files/muse.xml')],
    ['c.xml', fixture('ecg-files/sierra-1.04-xli.xml')],
    ['a.scp', fixture('ecg-files/plain.scp')],
  ]
}

/** Values that make lengths negative, huge or zero. */
const extremes = [0, 0xff_ff_ff_ff, 0x7f_ff_ff_ff, 0x80_00_00_00, 0x00_00_ff_ff, 0x7f_80_00_00]
const cuts = [0, 1, 3, 7, 12, 20, 32, 60, 100, 131, 133, 140, 200, 300, 340, 347]

/** The same damage at every run: cut off, and four bytes of the start made extreme. */
function damaged([name, bytes]: [string, Uint8Array]): BadFile[] {
  const short = cuts.filter(length => length < bytes.length / 2)
  const words = Array.from({ length: 24 }, (_, i) => i * 4).filter(at => at + 4 < bytes.length)
  return [
    ...short.map(length => ({ how: `cut at ${length}`, name, bytes: bytes.slice(0, length) })),
    ...words.map((at, i) => {
      const copy = Buffer.from(bytes)
      copy.writeUInt32LE(extremes[i % extremes.length]!, at)
      return { how: `damaged at ${at}`, name, bytes: copy }
    }),
  ]
}

/** Files that claim or unfold to far more than they hold, and files that are two things at once. */
async function made(): Promise<BadFile[]> {
  const [, png] = (await wholeFiles())[0]!
  const bigNifti = Buffer.from(volume)
  for (const at of [42, 44, 46]) bigNifti.writeInt16LE(32_767, at)
  const bigDicom = Buffer.from(smallCt)
  for (const tag of ['2800100055530200', '2800110055530200']) {
    const at = bigDicom.indexOf(Buffer.from(tag, 'hex'))
    if (at > 0) bigDicom.writeUInt16LE(65_535, at + 8)
  }
  const zeros = gzipSync(Buffer.alloc(64 * 2 ** 20))
  return [
    { how: 'claims 10 gigapixels', name: 'a.png', bytes: pngOf(100_000, 100_000) },
    { how: 'claims no pixels', name: 'a.png', bytes: pngOf(0, 0) },
    { how: 'claims a line of 2^31', name: 'a.png', bytes: pngOf(0x7f_ff_ff_ff, 1) },
    { how: 'claims 64 TiB', name: 'a.nii', bytes: bigNifti },
    { how: 'claims 64 TiB, packed', name: 'a.nii.gz', bytes: gzipSync(bigNifti) },
    { how: 'claims 8 GiB', name: 'a.dcm', bytes: bigDicom },
    { how: 'unfolds a thousandfold', name: 'a.nii.gz', bytes: zeros },
    { how: 'is packed twice', name: 'a.nii.gz', bytes: gzipSync(gzipSync(volume)) },
    {
      how: 'claims 10^12 voxels',
      name: 'a.mha',
      bytes: Buffer.from(metaImage.toString('latin1').replace('8 8 8', '9999 9999 9999'), 'latin1'),
    },
    { how: 'claims 10^9 samples', name: 'r.hea', bytes: Buffer.from('r 12 500 1000000000\n') },
    { how: 'a page', name: 'a.png', bytes: Buffer.from('<!doctype html><script>1</script>') },
    {
      how: 'a page with a picture',
      name: 'a.html',
      bytes: Buffer.concat([Buffer.from('<!--'), png, Buffer.from('-->')]),
    },
    { how: 'a script', name: 'a.jpg', bytes: Buffer.from('#!/bin/sh\nrm -rf /\n') },
    { how: 'a program', name: 'a.dcm', bytes: Buffer.from('\u007fELF\u0002\u0001\u0001') },
    { how: 'a document', name: 'a.pdf', bytes: Buffer.concat([Buffer.from('%PDF-1.7\n'), png]) },
    { how: 'an archive', name: 'a.zip', bytes: Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.alloc(200)]) },
    { how: 'zeros', name: 'a.dcm', bytes: Buffer.alloc(4096) },
    {
      how: 'vectors',
      name: 'a.svg',
      bytes: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
    },
  ]
}

/** A PNG of any claimed size with a few bytes of pixels. */
function pngOf(width: number, height: number): Buffer {
  const size = Buffer.alloc(13)
  size.writeUInt32BE(width, 0)
  size.writeUInt32BE(height, 4)
  size.set([8, 2, 0, 0, 0], 8)
  const parts = [chunk('IHDR', size), chunk('IDAT', deflateSync(Buffer.alloc(64))), chunk('IEND', Buffer.alloc(0))]
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), ...parts])
}

function chunk(type: string, data: Buffer): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(data.length)
  return Buffer.concat([head, Buffer.from(type), data, Buffer.alloc(4)])
}

/** Bodies that are no request at all. */
const bodies = [
  '',
  '{',
  '[]',
  'null',
  '"x"',
  '{"files": [{"data": ""}]}',
  '{"files": [{"data": "%%%"}]}',
  '{"files": {}}',
  '{"files": [[]]}',
  '{"labels": ["A", "B"]}',
  '{"text": "x", "labels": []}',
  '{"text": "x", "labels": [5]}',
  '{"text": "x", "labels": ["A"], "temperature": 1e999}',
  '{"text": "x", "labels": ["A"], "seed": -1}',
  '{"text": "x", "labels": ["A"], "max_tokens": 1e12}',
  '{"text": "x", "labels": ["A"], "__proto__": {"a": 1}}',
  '[['.repeat(50_000),
  '\u0000\u0001\u0002',
  '{"text": "x", "labels": ["A"], "window": "NaN/NaN"}',
]

/** Bytes in use after all that can be freed was. */
function usedBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** What the second round over the same files may keep: nothing but noise of the engine. */
const maxKeptBytes = 24 * 2 ** 20

test('more than 300 damaged files and bodies are refused with a code, none breaks the server, memory stays flat', async () => {
  const app = createServer({ policy: fakePolicy({ words: ['<think>x</think>\\boxed{A}'] }) })
  const post = async (payload: string | object) =>
    app.inject({ method: 'POST', url: '/v1/diagnose', payload, headers: { 'content-type': 'application/json' } })
  const files = [...(await wholeFiles()).flatMap(damaged), ...(await made())]
  const round = async (): Promise<number> => {
    let refused = 0
    for (const { how, name, bytes } of files) {
      const data = Buffer.from(bytes).toString('base64')
      const { statusCode, body } = await post({ files: [{ name, data }], labels: ['A', 'B'] })
      expect(statusCode, `${name} ${how}: ${body}`).toBeLessThan(500)
      if (statusCode === 200) continue // the damage lies where it changes values alone
      refused++
      expect(JSON.parse(body).error.code, `${name} ${how}`).toMatch(/^(DATA|WFDB|SERVER)_(?!UNEXPECTED)/)
    }
    for (const payload of bodies) {
      const { statusCode, body } = await post(payload)
      expect([statusCode, JSON.parse(body).error?.code], `body ${payload.slice(0, 60)}`).toEqual([
        400,
        expect.stringMatching(/^(DATA|SERVER)_/),
      ])
      refused++
    }
    return refused
  }
  expect(await round()).toBeGreaterThanOrEqual(300)
  const before = usedBytes()
  await round()
  expect(usedBytes() - before).toBeLessThan(maxKeptBytes)
  await app.close()
})

test('a whole file of every kind is read', async () => {
  const app = createServer({ policy: fakePolicy({ words: ['<think>x</think>\\boxed{A}'] }) })
  for (const [name, bytes] of await wholeFiles()) {
    const files = [{ name, data: Buffer.from(bytes).toString('base64') }]
    const { statusCode, body } = await app.inject({
      method: 'POST',
      url: '/v1/diagnose',
      payload: { files, labels: ['A', 'B'] },
    })
    expect(statusCode, `${name}: ${body}`).toBe(200)
  }
  await app.close()
})

import { deflateRawSync } from 'node:zlib'
import {
  archiveOf,
  pickleOf,
  tensorPickle,
  tuple,
  zipOf,
  type PicklePart,
  type ZipItem,
} from '../../src/checkpoint/pth.testing.ts'
import { overwritten, truncations, type MalformedFile } from './malformed-file.ts'

const plain = tensorPickle([2, 3], [3, 1])
const whole = zipOf(archiveOf(plain))
const centralMark = Buffer.from('PK\u0001\u0002')
const endMark = Buffer.from('PK\u0005\u0006')

/** Names whose call would run code, read files or open connections. */
const callables = [
  'os system',
  'posix system',
  'nt system',
  'subprocess Popen',
  'subprocess check_output',
  'builtins eval',
  'builtins exec',
  'builtins __import__',
  'builtins getattr',
  'builtins open',
  '__builtin__ eval',
  'shutil rmtree',
  'pty spawn',
  'socket socket',
  'urllib.request urlopen',
  'importlib import_module',
  'runpy run_path',
  'webbrowser open',
  'torch load',
  'torch.hub load',
  'torch._utils _rebuild_sparse_tensor',
  'numpy.core.multiarray _reconstruct',
  'collections namedtuple',
  'collections.OrderedDict ',
] as const

const huge = [0xff, 0xff, 0xff, 0x7f]
const wide = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]
/** Pickles that ask for what no checkpoint needs, or for what is not there. */
const pickles: Readonly<Record<string, readonly PicklePart[]>> = {
  'an instance of the oldest protocol': [0x69, 0x6f, 0x73, 0x0a, 0x78, 0x0a, 0x2e],
  'an object from a stack': [0x28, 0x6f, 0x2e],
  'a new object': [0x4e, 0x29, 0x81, 0x2e],
  'a new object with keywords': [0x4e, 0x29, 0x7d, 0x92, 0x2e],
  'an extension': [0x82, 1, 0x2e],
  'a persistent line': [0x50, 0x30, 0x0a, 0x2e],
  'a text of two gigabytes': [0x58, ...huge, 0x2e],
  'a text of exabytes': [0x8d, ...wide, 0x2e],
  'bytes of two gigabytes': [0x42, ...huge, 0x2e],
  'a number of two gigabytes': [0x8b, ...huge, 0x2e],
  'a number beyond 2^53': [0x8a, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x2e],
  'a name without an end': [0x63, ...Array<number>(400).fill(0x61), 0x2e],
  'a text that is no UTF-8': [0x58, 2, 0, 0, 0, 0xff, 0xfe, 0x2e],
  'a memo that was never stored': [0x68, 7, 0x2e],
  'a tuple of nothing': [0x86, 0x2e],
  'items without a mark': [0x7d, 0x75, 0x2e],
  'items for a number': [0x4b, 1, 0x28, 0x4b, 1, 0x4b, 2, 0x75, 0x2e],
  'an odd number of items': [0x7d, 0x28, 0x4b, 1, 0x75, 0x2e],
  'a call of a number': [0x4b, 1, 0x29, 0x52, 0x2e],
  'an append to a dict': [0x7d, 0x4b, 1, 0x61, 0x2e],
  'no value': [0x2e],
  'two values': [0x4e, 0x4e, 0x2e],
  'no end': [0x4e],
  'a dict that holds itself': [0x7d, 0x71, 0, 'self', 0x68, 0, 0x73, 0x2e],
  'dicts ten deep': [
    ...Array.from({ length: 10 }, (): PicklePart[] => [0x7d, 'k']).flat(),
    0x4e,
    ...Array<number>(10).fill(0x73),
    0x2e,
  ],
  'a tensor that is a call of a dict': [0x7d, 'w', { global: 'torch FloatStorage' }, 0x29, 0x52, 0x73, 0x2e],
}

/** Directory rows and end records that lie; each answers the changed archive. */
function forgedZips(): MalformedFile[] {
  const rows = [0, 1, 2].map(i => nth(whole, centralMark, i))
  const end = whole.lastIndexOf(endMark)
  const at = (name: string, place: number, bytes: readonly number[]): MalformedFile => ({
    name,
    bytes: overwritten(whole, place, bytes),
  })
  return [
    ...rows.flatMap((row, i) => [
      at(`row ${i}: deflated`, row + 10, [8, 0]),
      at(`row ${i}: another method`, row + 10, [99, 0]),
      at(`row ${i}: encrypted`, row + 8, [1, 0]),
      at(`row ${i}: four gigabytes`, row + 20, [0xfe, 0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff]),
      at(`row ${i}: the 64-bit mark`, row + 20, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
      at(`row ${i}: a size that grows`, row + 24, [0xff, 0xff, 0xff, 0x7f]),
      at(`row ${i}: begins far outside`, row + 42, [0xff, 0xff, 0xff, 0x7f]),
      at(`row ${i}: begins inside another`, row + 42, [3, 0, 0, 0]),
      at(`row ${i}: a long name`, row + 28, [0xff, 0xff]),
      at(`row ${i}: no row`, row, [0, 0, 0, 0]),
    ]),
    at('the first entry once more', rows[2]! + 42, [0, 0, 0, 0]),
    at('sixty thousand entries', end + 10, [0xff, 0xff]),
    at('one entry more', end + 10, [4, 0]),
    at('no entry', end + 10, [0, 0]),
    at('a directory of gigabytes', end + 12, [0xff, 0xff, 0xff, 0x7f]),
    at('a directory behind the end', end + 16, [0xff, 0xff, 0xff, 0x7f]),
    at('no end record', end, [0, 0, 0, 0]),
  ]
}

function nth(bytes: Buffer, mark: Buffer, index: number): number {
  let at = -1
  for (let i = 0; i <= index; i++) at = bytes.indexOf(mark, at + 1)
  return at
}

/** A hundred megabytes of zeros in a hundred kilobytes. */
function bomb(): Buffer {
  const packed = deflateRawSync(Buffer.alloc(100_000_000))
  const archive = zipOf([{ name: 'a/data.pkl', data: packed, method: 8 }, ...archiveOf(plain).slice(1)])
  const size = Buffer.alloc(4)
  size.writeUInt32LE(100_000_000)
  return overwritten(archive, nth(archive, centralMark, 0) + 24, size)
}

function withPickle(name: string, bytes: Uint8Array): MalformedFile {
  return { name, bytes: zipOf(archiveOf(bytes)) }
}

/** PyTorch files that are not what they claim, or that ask for code to run. */
export function pthCorpus(): MalformedFile[] {
  const [pickle, order, storage] = archiveOf(plain) as [ZipItem, ZipItem, ZipItem] // three entries
  return [
    ...truncations(whole, 24),
    ...forgedZips(),
    { name: 'a zip bomb', bytes: bomb() },
    { name: 'an entry twice', bytes: zipOf([pickle, order, storage, storage]) },
    { name: 'no pickle', bytes: zipOf([order, storage]) },
    { name: 'a pickle two folders deep', bytes: zipOf([{ ...pickle, name: 'a/b/data.pkl' }, storage]) },
    { name: 'a storage that is missing', bytes: zipOf([pickle, order]) },
    { name: 'a storage outside', bytes: zipOf([pickle, order, { ...storage, name: '../data/0' }]) },
    { name: 'big-endian data', bytes: zipOf([pickle, { ...order, data: Buffer.from('big') }, storage]) },
    { name: 'a tar of the oldest PyTorch', bytes: Buffer.concat([Buffer.from('././@PaxHeader'), Buffer.alloc(1024)]) },
    { name: 'a bare pickle', bytes: Buffer.from(plain) },
    ...callables.flatMap(name => [
      withPickle(`${name} by GLOBAL`, pickleOf(0x80, 2, { global: name }, ...tuple(['id']), 0x52, 0x2e)),
      withPickle(`${name} by STACK_GLOBAL`, pickleOf(0x80, 4, ...name.split(' '), 0x93, ...tuple(['id']), 0x52, 0x2e)),
    ]),
    ...Object.entries(pickles).map(([name, parts]) => withPickle(name, pickleOf(...parts))),
    withPickle('a tensor beyond its storage', tensorPickle([3, 3], [3, 1])),
    withPickle('an offset beyond the storage', tensorPickle([1], [1], 6)),
    withPickle('a tensor that strides of 0 make huge', tensorPickle([255, 255, 255], [0, 0, 0])),
    withPickle('a stride beyond the storage', tensorPickle([2, 3], [200, 1])),
    withPickle('strides of another rank', tensorPickle([2, 3], [1])),
    withPickle('a storage of an unknown class', tensorPickle([1], [1], 0, 'torch.storage UntypedStorage')),
    withPickle('a storage of code', tensorPickle([1], [1], 0, 'os system')),
    withPickle('doubles in a storage of floats', tensorPickle([2, 3], [3, 1], 0, 'torch DoubleStorage')),
  ]
}

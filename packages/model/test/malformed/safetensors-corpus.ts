import { hugeCounts, overwritten, truncations, uint64, type MalformedFile } from './malformed-file.ts'

type Header = Record<string, unknown>

/** A file with this header and data of zeros. */
function fileOf(header: Header | string, dataBytes: number): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  return Buffer.concat([uint64(BigInt(json.length)), json, Buffer.alloc(dataBytes)])
}

const good: Header = {
  a: { dtype: 'F32', shape: [2, 4], data_offsets: [0, 32] },
  b: { dtype: 'BF16', shape: [8], data_offsets: [32, 48] },
  c: { dtype: 'F16', shape: [4], data_offsets: [48, 56] },
}
const whole = fileOf(good, 56)

/** The good header with a field of one tensor changed. */
function changed(tensor: 'a' | 'b' | 'c', fields: Header): Buffer {
  return fileOf({ ...good, [tensor]: { ...(good[tensor] as Header), ...fields } }, 56)
}

const shapes: readonly unknown[] = [
  [],
  [2],
  [2, 5],
  [3, 4],
  [2, 4, 2],
  [-2, -4],
  [2.5, 4],
  ['2', '4'],
  [null],
  8,
  '2,4',
  null,
  {},
]
const hugeShapes: readonly unknown[] = [
  [2 ** 31, 4],
  [2 ** 53, 1],
  [1e300, 1e300],
  [2 ** 40, 2 ** 40],
  Array(64).fill(2),
  [0, 2 ** 53],
]
const offsets: readonly unknown[] = [
  [0, 31],
  [0, 33],
  [-32, 0],
  [32, 0],
  [1, 33],
  [16, 48],
  [24, 56],
  [2 ** 53, 2 ** 53],
  [0, 2 ** 60],
  [0],
  [0, 32, 64],
  ['0', '32'],
  [0.5, 32.5],
  null,
  'all',
  {},
]
const dtypes: readonly unknown[] = [
  'F64',
  'I64',
  'BF16',
  'F16',
  'U8',
  'BOOL',
  'F8_E4M3',
  'f32',
  'FLOAT',
  '',
  'toString',
  '__proto__',
  32,
  null,
  ['F32'],
]
const headers: Readonly<Record<string, string>> = {
  'an empty header': '',
  'a list': '[]',
  'a number': '1',
  'a text': '"a"',
  null: 'null',
  'an open object': '{"a":',
  'two objects': '{}{}',
  'a trailing comma': '{"a":1,}',
  'a comment': '{/* */}',
  'a byte-order mark': '\uFEFF{}',
  'entries that are numbers': '{"a":1}',
  'entries that are lists': '{"a":[]}',
  'metadata of numbers': '{"__metadata__":{"format":1}}',
  'metadata that is a list': '{"__metadata__":[]}',
  'a tensor twice':
    '{"a":{"dtype":"U8","shape":[56],"data_offsets":[0,56]},"a":{"dtype":"U8","shape":[56],"data_offsets":[0,56]}}',
  'a tensor twice, once escaped':
    '{"a":{"dtype":"U8","shape":[56],"data_offsets":[0,56]},"\\u0061":{"dtype":"U8","shape":[56],"data_offsets":[0,56]}}',
  'a field twice': '{"a":{"dtype":"U8","shape":[56],"shape":[56],"data_offsets":[0,56]}}',
  'metadata twice': '{"__metadata__":{},"__metadata__":{},"a":{"dtype":"U8","shape":[56],"data_offsets":[0,56]}}',
  'a depth of 50,000': `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`,
}

/** Safetensors files that are not what they claim. */
export function safetensorsCorpus(): MalformedFile[] {
  const headerBytes = whole.length - 56 - 8
  return [
    ...truncations(whole, 24),
    ...hugeCounts.map(count => ({ name: `a header of ${count} bytes`, bytes: overwritten(whole, 0, uint64(count)) })),
    ...[-1, 1, 8].map(by => ({
      name: `a header ${by} bytes longer`,
      bytes: overwritten(whole, 0, uint64(BigInt(headerBytes + by))),
    })),
    ...[1, 8, 4096].map(more => ({
      name: `${more} bytes after the data`,
      bytes: Buffer.concat([whole, Buffer.alloc(more)]),
    })),
    ...shapes.map(shape => ({ name: `the shape ${JSON.stringify(shape)}`, bytes: changed('a', { shape }) })),
    ...hugeShapes.map(shape => ({ name: `the shape ${JSON.stringify(shape)}`, bytes: changed('a', { shape }) })),
    ...offsets.map(each => ({
      name: `the offsets ${JSON.stringify(each)}`,
      bytes: changed('a', { data_offsets: each }),
    })),
    ...dtypes.map(dtype => ({ name: `the type ${JSON.stringify(dtype)}`, bytes: changed('a', { dtype }) })),
    { name: 'tensors that overlap', bytes: changed('b', { data_offsets: [24, 40] }) },
    { name: 'a gap between tensors', bytes: changed('b', { data_offsets: [34, 50] }) },
    { name: 'one place for two tensors', bytes: changed('b', { dtype: 'F32', shape: [2, 4], data_offsets: [0, 32] }) },
    ...Object.entries(headers).map(([name, header]) => ({ name, bytes: fileOf(header, 56) })),
    { name: 'a header that is no UTF-8', bytes: overwritten(whole, 10, [0xff, 0xfe]) },
    { name: 'a zero inside the header', bytes: overwritten(whole, 12, [0]) },
  ]
}

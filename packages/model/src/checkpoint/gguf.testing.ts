/** A tensor of a GGUF file that a test writes. */
export interface GgufTensorToWrite {
  readonly name: string
  /** Slowest axis first. */
  readonly shape: readonly number[]
  /** ggml's number of the element type. Default 0, F32. */
  readonly type?: number
  readonly data: Uint8Array
}

/** A metadata value that a test writes: texts, whole numbers, lists of texts and of whole numbers, or an explicit type. */
export type GgufValueToWrite = string | number | readonly string[] | readonly number[] | { readonly float: number }

const uint = (bytes: 4 | 8, value: number): Buffer => {
  const buffer = Buffer.alloc(bytes)
  if (bytes === 4) buffer.writeUInt32LE(value)
  else buffer.writeBigUInt64LE(BigInt(value))
  return buffer
}
const text = (value: string): Buffer => Buffer.concat([uint(8, Buffer.byteLength(value)), Buffer.from(value)])

function written(value: GgufValueToWrite): Buffer {
  if (typeof value === 'string') return Buffer.concat([uint(4, 8), text(value)])
  if (typeof value === 'number') return Buffer.concat([uint(4, 4), uint(4, value)])
  if ('float' in value) {
    const bytes = Buffer.alloc(4)
    bytes.writeFloatLE(value.float)
    return Buffer.concat([uint(4, 6), bytes])
  }
  const items = value.map(item => (typeof item === 'string' ? text(item) : uint(4, item)))
  return Buffer.concat([uint(4, 9), uint(4, typeof value[0] === 'string' ? 8 : 4), uint(8, value.length), ...items])
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((32 - (bytes.length % 32)) % 32)])
}

/** Writes a GGUF file of version 3, with data aligned to 32 bytes. */
export function ggufBytes(
  metadata: Readonly<Record<string, GgufValueToWrite>>,
  tensors: readonly GgufTensorToWrite[],
): Buffer {
  let next = 0
  const infos = tensors.map(({ name, shape, type = 0, data }) => {
    const start = next
    next = Math.ceil((start + data.length) / 32) * 32
    const sides = shape.toReversed().map(side => uint(8, side))
    return Buffer.concat([text(name), uint(4, shape.length), ...sides, uint(4, type), uint(8, start)])
  })
  const header = Buffer.concat([
    Buffer.from('GGUF'),
    uint(4, 3),
    uint(8, tensors.length),
    uint(8, Object.keys(metadata).length),
    ...Object.entries(metadata).map(([key, value]) => Buffer.concat([text(key), written(value)])),
    ...infos,
  ])
  return Buffer.concat([padded(header), ...tensors.map(({ data }) => padded(data))])
}

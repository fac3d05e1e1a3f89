/** A file to put into an archive. */
export interface ZipItem {
  readonly name: string
  readonly data: Uint8Array
  readonly method?: number
}

/** A zip archive of stored files. */
export function zipOf(items: readonly ZipItem[], comment = ''): Buffer {
  const parts: Buffer[] = []
  const rows: Buffer[] = []
  let at = 0
  for (const { name, data, method = 0 } of items) {
    const header = Buffer.alloc(30 + name.length)
    header.writeUInt32LE(0x04034b50)
    header.writeUInt16LE(name.length, 26)
    header.write(name, 30)
    const row = Buffer.alloc(46 + name.length)
    row.writeUInt32LE(0x02014b50)
    row.writeUInt16LE(method, 10)
    row.writeUInt32LE(data.length, 20)
    row.writeUInt32LE(data.length, 24)
    row.writeUInt16LE(name.length, 28)
    row.writeUInt32LE(at, 42)
    row.write(name, 46)
    rows.push(row)
    parts.push(header, Buffer.from(data))
    at += header.length + data.length
  }
  const directory = Buffer.concat(rows)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50)
  end.writeUInt16LE(items.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(at, 16)
  end.writeUInt16LE(comment.length, 20)
  return Buffer.concat([...parts, directory, end, Buffer.from(comment)])
}

/** An opcode, a text, or a name to look up. */
export type PicklePart = number | string | { readonly global: string }

/** Pickle bytes by hand: numbers are opcodes, texts are written as BINUNICODE. */
export function pickleOf(...parts: readonly PicklePart[]): Uint8Array {
  return Buffer.concat(
    parts.map(part => {
      if (typeof part === 'number') return Buffer.of(part)
      if (typeof part === 'object') return Buffer.from(`c${part.global.replace(' ', '\n')}\n`)
      const length = Buffer.alloc(4)
      length.writeUInt32LE(Buffer.byteLength(part))
      return Buffer.concat([Buffer.of(0x58), length, Buffer.from(part)])
    }),
  )
}

const int = (value: number): number[] => [0x4b, value]
/** The operations that make a tuple. */
export function tuple(...items: readonly (readonly PicklePart[])[]): PicklePart[] {
  return [0x28, ...items.flat(), 0x74]
}

/** { name: tensor of float32 } over the storage "0". */
export function tensorPickle(
  shape: number[],
  strides: number[],
  offset = 0,
  storage = 'torch FloatStorage',
): Uint8Array {
  const reference = tuple(['storage'], [{ global: storage }], ['0'], ['cpu'], int(4))
  const args = tuple(
    [...reference, 0x51],
    int(offset),
    tuple(...shape.map(int)),
    tuple(...strides.map(int)),
    [0x89],
    [0x7d],
  )
  return pickleOf(0x80, 2, 0x7d, 'w', { global: 'torch._utils _rebuild_tensor_v2' }, ...args, 0x52, 0x73, 0x2e)
}

/** The entries of a checkpoint with one storage, of the floats 1 … 6. */
export function archiveOf(pickle: Uint8Array): ZipItem[] {
  const data = new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer)
  return [
    { name: 'a/data.pkl', data: pickle },
    { name: 'a/byteorder', data: Buffer.from('little') },
    { name: 'a/data/0', data },
  ]
}

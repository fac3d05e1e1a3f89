import { gzipSync, crc32 } from 'node:zlib'
import { Header } from 'tar'

/** An entry of an archive that a test makes. */
export interface TestEntry {
  readonly path: string
  readonly data?: string | Uint8Array
  readonly link?: string
}

/** Makes a zip of stored entries, unsafe ones too. */
export function zipOf(entries: readonly TestEntry[]): Buffer {
  const locals: Buffer[] = []
  const centrals: Buffer[] = []
  let offset = 0
  for (const { path, data = '', link } of entries) {
    const name = Buffer.from(path)
    const body = bytesOf(link ?? data)
    const shared = Buffer.alloc(26)
    shared.writeUInt16LE(20, 0)
    shared.writeUInt32LE(crc32(body), 10)
    shared.writeUInt32LE(body.length, 14)
    shared.writeUInt32LE(body.length, 18)
    shared.writeUInt16LE(name.length, 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), shared, name, body])
    const end = Buffer.alloc(14)
    end.writeUInt32LE(((link === undefined ? 0o100644 : 0o120777) << 16) >>> 0, 6)
    end.writeUInt32LE(offset, 10)
    centrals.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x03'), shared, end, name]))
    locals.push(local)
    offset += local.length
  }
  const directory = Buffer.concat(centrals)
  const tail = Buffer.alloc(22)
  tail.write('PK\x05\x06', 'latin1')
  tail.writeUInt16LE(entries.length, 8)
  tail.writeUInt16LE(entries.length, 10)
  tail.writeUInt32LE(directory.length, 12)
  tail.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, directory, tail])
}

function bytesOf(data: string | Uint8Array): Buffer {
  return typeof data === 'string' ? Buffer.from(data) : Buffer.from(data)
}

/** Makes a tar.gz, with unsafe entries too. */
export function tarGzOf(entries: readonly TestEntry[]): Buffer {
  const blocks = entries.flatMap(({ path, data = '', link }) => {
    const body = bytesOf(data)
    const header = Buffer.alloc(512)
    new Header({
      path,
      size: body.length,
      mode: 0o644,
      type: link === undefined ? 'File' : 'SymbolicLink',
      ...(link !== undefined && { linkpath: link }),
    }).encode(header)
    return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)]
  })
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]))
}

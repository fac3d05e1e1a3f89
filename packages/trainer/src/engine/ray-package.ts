import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32, deflateRawSync } from 'node:zlib'

/** A working directory as Ray takes it: a zip file, named by its content. */
export interface RayPackage {
  readonly uri: string
  readonly bytes: Uint8Array
}

/** Packs files by their path in the package. */
export function rayPackage(files: ReadonlyMap<string, Uint8Array>): RayPackage {
  const bytes = zip(files)
  const name = createHash('sha256').update(bytes).digest('hex').slice(0, 32)
  return { uri: `gcs://_ray_pkg_${name}.zip`, bytes }
}

/** The files below a folder, by their path in it. @param keep which names are taken; all by default */
export async function folderFiles(folder: string, keep?: (name: string) => boolean): Promise<Map<string, Uint8Array>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  const names = paths.map(path => path.slice(folder.length + 1)).filter(name => keep?.(name) ?? true)
  const files = new Map<string, Uint8Array>()
  for (const name of names.toSorted()) files.set(name, await readFile(join(folder, name)))
  return files
}

const localHead = 0x04034b50
const centralHead = 0x02014b50
const endHead = 0x06054b50
const [version, deflated, utf8Names, date1980] = [20, 8, 0x800, 0x21]
const readable = (0o100644 << 16) >>> 0

/** A zip file without times: the same files make the same bytes. */
function zip(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const [parts, central]: Buffer[][] = [[], []]
  let offset = 0
  for (const [path, data] of files) {
    const [name, packed] = [Buffer.from(path), deflateRawSync(data)]
    const fields = Buffer.alloc(26)
    ;[version, utf8Names, deflated, 0, date1980].forEach((value, i) => fields.writeUInt16LE(value, 2 * i))
    ;[crc32(data), packed.length, data.length].forEach((value, i) => fields.writeUInt32LE(value, 10 + 4 * i))
    fields.writeUInt16LE(name.length, 22)
    const place = Buffer.alloc(14)
    place.writeUInt32LE(readable, 6)
    place.writeUInt32LE(offset, 10)
    parts!.push(uint32(localHead), fields, name, packed)
    central!.push(uint32(centralHead), Buffer.from([version, 3]), fields, place, name)
    offset += 30 + name.length + packed.length
  }
  const directory = Buffer.concat(central!)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(endHead, 0)
  end.writeUInt16LE(files.size, 8)
  end.writeUInt16LE(files.size, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...parts!, directory, end])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

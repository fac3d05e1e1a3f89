import path from 'node:path'
import { storedWfdb } from './ecg-recording.ts'
import { readRegularFile } from '../files/folder-entries.ts'
import { interleavedEcg } from './interleaved-ecg.ts'
import type { StoredEcg } from './stored-ecg.ts'
import { wfdbErrors } from '../wfdb/errors.ts'
import { headerText } from '../wfdb/header-text.ts'
import { parseWfdbHeader, type WfdbHeader } from '../wfdb/header.ts'
import { decodeWfdb, type WfdbRecord } from '../wfdb/record.ts'
import { joinSegments } from '../wfdb/segments.ts'

/**
 * Reads a WFDB record from disk, with every file that its header names.
 *
 * @param headerPath path of the `.hea` file, or of the record without suffix
 * @throws WFDB_FILE_MISSING and the errors of `parseWfdbHeader`, `decodeWfdb` and `joinSegments`
 */
export async function readWfdb(headerPath: string): Promise<WfdbRecord> {
  return readRecord(headerPath.replace(/\.hea$/, ''), 0)
}

/** 100,000 segments take 3 MB. */
const maxHeaderBytes = 16 * 2 ** 20

/** Reads and parses a header alone. */
export async function readWfdbHeader(headerPath: string): Promise<WfdbHeader> {
  const name = path.basename(headerPath).replace(/\.hea$/, '')
  const bytes = await load(`${headerPath.replace(/\.hea$/, '')}.hea`, name)
  if (bytes.length > maxHeaderBytes)
    throw wfdbErrors.BAD_HEADER({ record: name, line: 1, problem: `it has more than ${maxHeaderBytes} bytes` })
  return parseWfdbHeader(headerText(bytes), name)
}

/**
 * Reads the leads of a WFDB record from disk: as they lie in their file where that is simple, decoded otherwise.
 *
 * @param headerPath path of the `.hea` file, or of the record without suffix
 * @throws as `readWfdb`
 */
export async function readStoredWfdb(headerPath: string): Promise<StoredEcg> {
  const header = await readWfdbHeader(headerPath)
  if (header.segments.length > 0) return storedWfdb(await readWfdb(headerPath))
  const files = await signalFilesOf(header, path.dirname(headerPath))
  return interleavedEcg(header, files) ?? storedWfdb(decodeWfdb(header, files))
}

/** A master header names plain records; one level is all the format knows. */
const maxDepth = 1

async function readRecord(recordPath: string, depth: number): Promise<WfdbRecord> {
  const header = await readWfdbHeader(recordPath)
  const folder = path.dirname(recordPath)
  if (header.segments.length > 0) {
    if (depth >= maxDepth)
      throw wfdbErrors.BAD_HEADER({ record: header.record, line: 1, problem: 'a segment is itself made of segments' })
    const segments: (WfdbRecord | undefined)[] = []
    for (const { name, frames } of header.segments)
      segments.push(name === '~' ? undefined : await readSegment(path.join(folder, name), frames, depth + 1))
    return joinSegments(header, segments)
  }
  return decodeWfdb(header, await signalFilesOf(header, folder))
}

async function signalFilesOf(header: WfdbHeader, folder: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>()
  for (const { file } of header.signals)
    if (file !== '~' && !files.has(file)) files.set(file, await load(path.join(folder, file), header.record))
  return files
}

/** A layout segment has length 0 and no samples; only its header counts. */
async function readSegment(recordPath: string, frames: number, depth: number): Promise<WfdbRecord> {
  if (frames > 0) return readRecord(recordPath, depth)
  const header = await readWfdbHeader(recordPath)
  const signals = header.signals.map(signal => ({ ...signal, file: '~', checksum: undefined }))
  const decoded = decodeWfdb({ ...header, signals, frames: 1 }, new Map())
  return { ...decoded, frames: 0 }
}

async function load(file: string, record: string): Promise<Uint8Array> {
  const bytes = await readRegularFile(file)
  if (bytes === undefined) throw wfdbErrors.FILE_MISSING({ record, file: path.basename(file) })
  return bytes
}

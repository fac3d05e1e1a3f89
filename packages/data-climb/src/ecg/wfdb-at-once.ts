import path from 'node:path'
import { maxBytesAtOnce, readSmallFile } from '../files/folder-entries.ts'
import { interleavedEcg } from './interleaved-ecg.ts'
import type { EcgRecording } from '../sample/sample.ts'
import { recordingOf } from './stored-ecg.ts'
import { headerText } from '../wfdb/header-text.ts'
import { parseWfdbHeader } from '../wfdb/header.ts'

/** Where a signal file lies while its leads become millivolts; nothing keeps it, and nobody else runs meanwhile. */
let room = new Uint8Array()

/**
 * Reads the usual record, small and in one file, without a pause and without memory of its own for the file: twelve leads of
 * ten seconds take as long to allocate and collect as to convert.
 *
 * @param headerPath path of the `.hea` file
 * @returns undefined for any other record, also one that is damaged, which the general reader reads or refuses
 * @throws the errors of `parseWfdbHeader` and `recordingOf`
 */
export function readWfdbAtOnce(headerPath: string, maxSeconds: number): EcgRecording | undefined {
  const text = readSmallFile(headerPath)
  if (text === undefined) return undefined
  const header = parseWfdbHeader(headerText(text), path.basename(headerPath).replace(/\.hea$/i, ''))
  const file = header.signals[0]?.file
  if (header.segments.length > 0 || file === undefined || file === '~') return undefined
  if (room.length === 0) room = new Uint8Array(maxBytesAtOnce)
  const bytes = readSmallFile(path.join(path.dirname(headerPath), file), room)
  const stored = bytes && interleavedEcg(header, new Map([[file, bytes]]))
  return stored && recordingOf(stored, { record: header.record, maxSeconds })
}

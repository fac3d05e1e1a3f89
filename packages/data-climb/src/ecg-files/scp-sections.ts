import { dataErrors } from '../errors.ts'

/** The sections of an SCP-ECG record that are read, without their headers, and what was tolerated. */
export interface ScpRecord {
  readonly sections: ReadonlyMap<number, DataView>
  /** Version of the protocol times ten, such as 13 or 20; 0 where the file does not say. */
  readonly protocol: number
  readonly warnings: readonly string[]
}

const recordHeader = 6
const sectionHeader = 16
const pointerBytes = 10
/** Sections of the standard; others belong to manufacturers. */
const lastSection = 12

/** Tells whether bytes start like an SCP-ECG record: its size, and section 0 with whole pointers. */
export function isScp(start: Uint8Array): boolean {
  if (start.length < recordHeader + sectionHeader + pointerBytes) return false
  const view = viewOf(start)
  const length = view.getUint32(recordHeader + 4, true)
  return (
    view.getUint16(recordHeader + 2, true) === 0 &&
    length >= sectionHeader + pointerBytes &&
    (length - sectionHeader) % pointerBytes === 0 &&
    view.getUint32(2, true) >= recordHeader + length &&
    view.getUint16(recordHeader + sectionHeader, true) === 0 &&
    view.getUint32(recordHeader + sectionHeader + 6, true) === recordHeader + 1
  )
}

/**
 * Takes an SCP-ECG record apart: section 0 points at the others. Checksums that do not fit are warnings.
 *
 * @throws DATA_ECG_INVALID
 */
export function scpSections(file: Uint8Array): ScpRecord {
  if (file.length < recordHeader + sectionHeader) throw invalid('it is cut off')
  const size = viewOf(file).getUint32(2, true)
  if (size > file.length || size < recordHeader + sectionHeader)
    throw invalid(`it claims ${size} bytes and has ${file.length}`)
  const record = file.subarray(0, size)
  const view = viewOf(record)
  const pointersEnd = recordHeader + view.getUint32(recordHeader + 4, true)
  if (pointersEnd > size) throw invalid('its pointers are cut off')
  const warnings = crcFits(record) ? [] : ['the record does not match its checksum']
  const sections = new Map<number, DataView>()
  for (let at = recordHeader + sectionHeader; at + pointerBytes <= pointersEnd; at += pointerBytes) {
    const [id, length, start] = [
      view.getUint16(at, true),
      view.getUint32(at + 2, true),
      view.getUint32(at + 6, true) - 1,
    ]
    if (id === 0 || id > lastSection || length === 0) continue
    if (start < 0 || start + length > size || length < sectionHeader) throw invalid(`section ${id} lies outside of it`)
    if (view.getUint16(start + 2, true) !== id) throw invalid(`section ${id} is not where its pointer says`)
    const written = Math.min(length, view.getUint32(start + 4, true))
    if (written < sectionHeader) throw invalid(`section ${id} is shorter than its header`)
    if (!crcFits(record.subarray(start, start + written))) warnings.push(`section ${id} does not match its checksum`)
    sections.set(id, viewOf(record.subarray(start + sectionHeader, start + written)))
  }
  return { sections, protocol: view.getUint8(recordHeader + 9), warnings }
}

/** CRC-CCITT of what follows the first two bytes, which hold it. */
function crcFits(bytes: Uint8Array): boolean {
  let crc = 0xffff
  for (let i = 2; i < bytes.length; i++) {
    crc ^= bytes[i]! << 8
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff
  }
  return crc === (bytes[0]! | (bytes[1]! << 8)) // two bytes at least
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function invalid(problem: string): Error {
  return dataErrors.ECG_INVALID({ format: 'SCP-ECG', problem })
}

import { inflateRawSync } from 'node:zlib'
import { dataErrors } from '../errors.ts'

/** A part of a workbook may inflate to 256 MiB. */
const maxPartBytes = 2 ** 28
const maxColumns = 16_384
const endOfDirectory = 0x06054b50
const directoryEntry = 0x02014b50

/**
 * Reads the first sheet of an Excel workbook as text, row after row. Formats, dates and formulas are not interpreted.
 *
 * @returns [rows][columns] cells; a missing cell is an empty text
 * @throws DATA_TABLE_INVALID when the file is no workbook
 */
export function readXlsx(bytes: Uint8Array): string[][] {
  const part = (name: string) => readZipEntry(bytes, name)
  const sheet = part('xl/worksheets/sheet1.xml')
  if (sheet === undefined) throw invalid('it holds no first sheet')
  const shared = [...(part('xl/sharedStrings.xml') ?? '').matchAll(/<si\b[^>]*>([\s\S]*?)<\/si>/g)].map(match =>
    textOf(match[1] ?? ''),
  )
  return [...sheet.matchAll(/<row\b[^>]*>([\s\S]*?)<\/row>/g)].map(match => cellsOf(match[1] ?? '', shared))
}

function cellsOf(row: string, shared: readonly string[]): string[] {
  const cells: string[] = []
  for (const [, attributes = '', content = ''] of row.matchAll(/<c\b([^>]*?)(?:\/>|>([\s\S]*?)<\/c>)/g)) {
    const column = columnOf(/\br="([A-Z]+)\d+"/.exec(attributes)?.[1], cells.length)
    if (column >= maxColumns) throw invalid('a cell lies beyond the last column')
    const value = unescaped(/<v>([\s\S]*?)<\/v>/.exec(content)?.[1] ?? '')
    const isShared = /\bt="s"/.test(attributes)
    while (cells.length < column) cells.push('')
    cells[column] = isShared ? (shared[Number(value)] ?? '') : value || textOf(content)
  }
  return cells
}

function columnOf(letters: string | undefined, next: number): number {
  if (letters === undefined) return next
  return Array.from(letters).reduce((column, letter) => column * 26 + letter.charCodeAt(0) - 64, 0) - 1
}

function textOf(xml: string): string {
  return [...xml.matchAll(/<t\b[^>]*>([\s\S]*?)<\/t>/g)].map(match => unescaped(match[1] ?? '')).join('')
}

function unescaped(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&')
}

/** Finds an entry by the central directory of a zip file and inflates it. */
function readZipEntry(bytes: Uint8Array, wanted: string): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let end = bytes.length - 22
  while (end >= 0 && view.getUint32(end, true) !== endOfDirectory) end--
  if (end < 0) throw invalid('it is no zip file')
  let at = view.getUint32(end + 16, true)
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== directoryEntry)
      throw invalid('its directory is malformed')
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map(offset => view.getUint16(at + offset, true)) as [
      number,
      number,
      number,
    ] // three fields
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameBytes))
    if (name === wanted) return inflateEntry(bytes, view, at)
    at += 46 + nameBytes + extraBytes + commentBytes
  }
  return undefined
}

function inflateEntry(bytes: Uint8Array, view: DataView, entry: number): string {
  const method = view.getUint16(entry + 10, true)
  const packedBytes = view.getUint32(entry + 20, true)
  const local = view.getUint32(entry + 42, true)
  if (local + 30 > bytes.length) throw invalid('an entry lies outside the file')
  const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true)
  if (start + packedBytes > bytes.length) throw invalid('an entry is truncated')
  const packed = bytes.subarray(start, start + packedBytes)
  try {
    return new TextDecoder().decode(method === 0 ? packed : inflateRawSync(packed, { maxOutputLength: maxPartBytes }))
  } catch (cause) {
    throw dataErrors.TABLE_INVALID({ problem: 'an entry does not inflate' }, { cause })
  }
}

function invalid(problem: string): Error {
  return dataErrors.TABLE_INVALID({ problem })
}

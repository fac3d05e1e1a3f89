import type { DataSet, Element } from 'dicom-parser'
import { dataErrors } from '../errors.ts'

/** A text without blanks around it; undefined when the tag is missing or empty. */
export function textValue(dataSet: DataSet, tag: string): string | undefined {
  const text = dataSet.string(tag)?.split('\\')[0]?.trim()
  return text === '' ? undefined : text
}

/** A 16-bit unsigned number, or undefined when the tag is missing or empty. */
export function unsignedValue(dataSet: DataSet, tag: string): number | undefined {
  return has(dataSet, tag, 2) ? dataSet.uint16(tag) : undefined
}

/** A whole number written as text, or undefined when the tag is missing or empty. @throws DATA_DICOM_INVALID when it is none */
export function wholeValue(dataSet: DataSet, tag: string): number | undefined {
  const text = textValue(dataSet, tag)
  if (text === undefined) return undefined
  const value = Number(text)
  if (!Number.isSafeInteger(value))
    throw dataErrors.DICOM_INVALID({ problem: `the tag ${tag.slice(1)} is no whole number` })
  return value
}

/** The numbers of a decimal tag; those that are none are NaN; an empty list when the tag is missing. */
export function decimalValues(dataSet: DataSet, tag: string): number[] {
  const text = dataSet.string(tag)
  if (text === undefined || text.trim() === '') return []
  return text.split('\\').map(part => (part.trim() === '' ? Number.NaN : Number(part)))
}

/** The first number of a decimal tag, or undefined when it is missing or no number. */
export function decimalValue(dataSet: DataSet, tag: string): number | undefined {
  const [value] = decimalValues(dataSet, tag)
  return value !== undefined && Number.isFinite(value) ? value : undefined
}

/** The data sets of a sequence, or an empty list. */
export function itemsOf(dataSet: DataSet, tag: string): DataSet[] {
  return elementOf(dataSet, tag)?.items?.flatMap(item => item.dataSet ?? []) ?? []
}

/** The element of a tag; tables of parsers are looked up by own keys alone. */
export function elementOf(dataSet: DataSet, tag: string): Element | undefined {
  return Object.hasOwn(dataSet.elements, tag) ? dataSet.elements[tag] : undefined
}

/** The bytes of an element's value, as far as the file has them. */
export function bytesOf(dataSet: DataSet, tag: string): Uint8Array | undefined {
  const element = elementOf(dataSet, tag)
  return element && dataSet.byteArray.subarray(element.dataOffset, element.dataOffset + element.length)
}

/** Sixteen-bit numbers of an element, in the byte order of the file. */
export function wordsOf(dataSet: DataSet, tag: string): Uint16Array | undefined {
  const bytes = bytesOf(dataSet, tag)
  if (!bytes) return undefined
  const read = (at: number) => dataSet.byteArrayParser.readUint16(bytes, at)
  return Uint16Array.from({ length: bytes.length >> 1 }, (_, i) => read(2 * i))
}

function has(dataSet: DataSet, tag: string, bytes: number): boolean {
  return (elementOf(dataSet, tag)?.length ?? 0) >= bytes
}

import { dataErrors } from '../errors.ts'

/** One code: its prefix is followed by `extraBits` of a signed number that are added to `value`; or it chooses a table. */
interface HuffmanCode {
  readonly value: number
  readonly extraBits: number
  /** Number of the table to go on with, from 1; undefined for a value. */
  readonly table: number | undefined
}

/** Codes by prefix with a leading one, so that prefixes of different lengths are different numbers. */
export type HuffmanTable = ReadonlyMap<number, HuffmanCode>

const maxPrefixBits = 32
const maxExtraBits = 24
const codeBytes = 9

/** The table that the standard gives (code 19999): values to 8 by ones and a sign, then 8 or 16 bits as they are. */
export const defaultTable: HuffmanTable = new Map([
  [0b10, { value: 0, extraBits: 0, table: undefined }],
  ...Array.from({ length: 8 }, (_, i) => i + 1).flatMap(size =>
    [size, -size].map((value, sign): [number, HuffmanCode] => [
      2 ** (size + 2) + (2 ** size - 1) * 4 + sign,
      { value, extraBits: 0, table: undefined },
    ]),
  ),
  [0b1_11_1111_1110, { value: 0, extraBits: 8, table: undefined }],
  [0b1_11_1111_1111, { value: 0, extraBits: 16, table: undefined }],
])

/** A number of tables that stands for the one of the standard. */
const defaultCount = 19_999

/**
 * Reads the Huffman tables of an SCP-ECG record (section 2).
 *
 * @throws DATA_ECG_INVALID
 */
export function huffmanTables(section: DataView): readonly HuffmanTable[] {
  if (section.byteLength < 2) throw invalid('its Huffman tables are cut off')
  const count = section.getUint16(0, true)
  if (count === defaultCount) return [defaultTable]
  if (count === 0) throw invalid('it has no Huffman table')
  const tables: HuffmanTable[] = []
  let at = 2
  for (let i = 0; i < count; i++) {
    const codes = at + 2 <= section.byteLength ? section.getUint16(at, true) : Infinity
    at += 2
    if (at + codes * codeBytes > section.byteLength) throw invalid('its Huffman tables are cut off')
    tables.push(new Map(Array.from({ length: codes }, (_, k) => codeAt(section, at + k * codeBytes))))
    at += codes * codeBytes
  }
  return tables
}

/** Bits of the prefix, bits altogether, mode, value, prefix with its first bit lowest. */
function codeAt(section: DataView, at: number): [number, HuffmanCode] {
  const [one, other] = [section.getUint8(at), section.getUint8(at + 1)]
  const [prefixBits, allBits] = [Math.min(one, other), Math.max(one, other)]
  const extraBits = allBits - prefixBits
  if (prefixBits < 1 || prefixBits > maxPrefixBits || extraBits > maxExtraBits)
    throw invalid('a Huffman code has an impossible length')
  const stored = section.getUint32(at + 5, true)
  let prefix = 1
  for (let bit = 0; bit < prefixBits; bit++) prefix = prefix * 2 + ((stored >>> bit) & 1)
  const value = section.getInt16(at + 3, true)
  const isValue = section.getUint8(at + 2) !== 0
  return [
    prefix,
    { value: isValue ? value : 0, extraBits: isValue ? extraBits : 0, table: isValue ? undefined : value },
  ]
}

/**
 * Decodes values, the first bit of a byte first.
 *
 * @param count values to decode; each takes one bit at least
 * @throws DATA_ECG_INVALID when the bits end before, or are no code
 */
export function decodeHuffman(bytes: Uint8Array, count: number, tables: readonly HuffmanTable[]): Int32Array {
  const allBits = bytes.length * 8
  if (count > allBits) throw invalid('its samples end too early')
  const values = new Int32Array(count)
  let [at, table] = [0, tables[0]]
  const bit = (): number => {
    if (at >= allBits) throw invalid('its samples end too early')
    const value = (bytes[at >> 3]! >> (7 - (at & 7))) & 1
    at++
    return value
  }
  for (let i = 0; i < count;) {
    let prefix = 1
    let code: HuffmanCode | undefined
    for (let length = 0; code === undefined && length < maxPrefixBits; length++) {
      prefix = prefix * 2 + bit()
      code = table?.get(prefix)
    }
    if (code === undefined) throw invalid('its samples hold no Huffman code')
    if (code.table !== undefined) {
      table = tables[code.table - 1]
      if (table === undefined) throw invalid('it goes on with a Huffman table that is not there')
      continue
    }
    let extra = 0
    for (let k = 0; k < code.extraBits; k++) extra = extra * 2 + bit()
    const isNegative = code.extraBits > 0 && extra >= 2 ** (code.extraBits - 1)
    values[i++] = code.value + (isNegative ? extra - 2 ** code.extraBits : extra)
  }
  return values
}

function invalid(problem: string): Error {
  return dataErrors.ECG_INVALID({ format: 'SCP-ECG', problem })
}

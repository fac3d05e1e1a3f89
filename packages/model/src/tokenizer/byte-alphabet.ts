/**
 * The printable characters that byte-level BPE (GPT-2) writes bytes with: printable ASCII and Latin-1 stand for
 * themselves, the other bytes take U+0100 onwards in order.
 */
export const byteToChar: readonly string[] = Array.from({ length: 256 }, () => '')

/** The inverse of `byteToChar`. */
export const charToByte: ReadonlyMap<string, number> = fillAlphabet()

function fillAlphabet(): Map<string, number> {
  const chars = byteToChar as string[] // filled once, here
  const inverse = new Map<string, number>()
  let shifted = 0
  for (let byte = 0; byte < 256; byte++) {
    const char = String.fromCodePoint(isPrintable(byte) ? byte : 0x100 + shifted++)
    chars[byte] = char
    inverse.set(char, byte)
  }
  return inverse
}

function isPrintable(byte: number): boolean {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae
}

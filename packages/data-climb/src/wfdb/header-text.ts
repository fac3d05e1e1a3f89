/**
 * Decodes the bytes of a header: UTF-8 where they are valid UTF-8, otherwise Latin-1, in which older recorders write the
 * micro sign. A byte-order mark is dropped.
 */
export function headerText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('latin1').decode(bytes)
  }
}

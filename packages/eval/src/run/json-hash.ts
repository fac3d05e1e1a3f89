import { createHash } from 'node:crypto'

/** The SHA-256 of a value's JSON, as 64 hexadecimal digits. */
export function jsonHash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}

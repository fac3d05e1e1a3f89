import { cliErrors } from './errors.ts'

const units = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 } as const

/** Writes a number of bytes as people do: 540 MB. */
export function byteText(bytes: number): string {
  const fitting = Object.entries(units).findLast(([, size]) => bytes >= size) ?? ['B', 1]
  return `${(bytes / fitting[1]).toLocaleString('en', { maximumSignificantDigits: 3 })} ${fitting[0]}`
}

/** Reads a number of bytes such as 500MB or 2GB. @throws CLI_VALUE_INVALID */
export function byteCount(option: string, text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?) ?([KMGT]?B)$/i.exec(text) ?? []
  const bytes = Number(number) * units[unit?.toUpperCase() as keyof typeof units] // NaN where nothing matched
  if (bytes >= 1) return bytes
  throw cliErrors.VALUE_INVALID({ name: option, value: text, expected: 'a size such as 500MB or 2GB' })
}

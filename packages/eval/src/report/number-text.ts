import type { Interval } from '../statistics/bootstrap.ts'

/** As table 2 prints: .686. */
export function share(value: number): string {
  return Number.isFinite(value) ? value.toFixed(3).replace(/^(-?)0\./, '$1.') : '–'
}

/** As tables 6-12 print: 0.6790. */
export function share4(value: number): string {
  return value.toFixed(4)
}

/** `95 %`. */
export function percent(level: number): string {
  return `${Number((level * 100).toFixed(2))} %`
}

/** `.610 to .702`, or that there is none. */
export function range(interval: Interval | undefined): string {
  if (interval === undefined) return ''
  return Number.isFinite(interval.lower) ? `${share(interval.lower)} to ${share(interval.upper)}` : 'cannot be drawn'
}

/** A p-value with two digits; `< .001` below that. */
export function pValue(value: number): string {
  return value < 0.001 ? '< .001' : share(value)
}

/** The values of one quantity in a window: first, last, least and greatest, with their unit. */
export interface Series {
  readonly firstMs: number
  readonly first: string
  readonly lastMs: number
  readonly last: string
  /** Of the values that are numbers; not finite where there are none. */
  readonly least: number
  readonly greatest: number
  readonly unit: string
}

/** Adds a value to a series; of two at the same time the later row is the last. */
export function extended(
  known: Series | undefined,
  { atMs, value, unit }: { readonly atMs: number; readonly value: string; readonly unit: string },
): Series {
  const number = value === '' ? Number.NaN : Number(value)
  const isNumber = Number.isFinite(number)
  const { least = Infinity, greatest = -Infinity } = known ?? {}
  return {
    unit: known?.unit || unit,
    least: isNumber ? Math.min(least, number) : least,
    greatest: isNumber ? Math.max(greatest, number) : greatest,
    ...(known && atMs >= known.firstMs
      ? { firstMs: known.firstMs, first: known.first }
      : { firstMs: atMs, first: value }),
    ...(known && atMs < known.lastMs ? { lastMs: known.lastMs, last: known.last } : { lastMs: atMs, last: value }),
  }
}

/** Writes a series: `first to last unit`, and least and greatest where first and last are not they. */
export function seriesText(name: string, { first, last, least, greatest, unit }: Series): string {
  const isEnd = (value: number) => value === Number(first) || value === Number(last)
  const isWithin = !Number.isFinite(least) || (isEnd(least) && isEnd(greatest))
  const value = first === last ? first : `${first} to ${last}`
  const range = isWithin ? '' : `(min ${least}, max ${greatest})`
  return [name, value, range, value === '' ? '' : unit].filter(part => part !== '').join(' ')
}

import type { PackedEntry, PackedLayout, PackedPlace } from './packed-layout.ts'

/** Some rows of a parameter, in the entry of the file that holds it. */
export interface ParameterRows {
  readonly entry: PackedEntry
  /** Name of the file. */
  readonly location: string
  /** The first among the rows of the entry. */
  readonly start: number
  readonly count: number
}

/** A layout and the name of its file. */
export interface PlacedLayout {
  readonly layout: PackedLayout
  readonly location: string
}

/** Where every parameter lies, also those that are one value with others. */
export function parameterRows(layouts: readonly PlacedLayout[]): ReadonlyMap<string, ParameterRows> {
  const found = new Map<string, ParameterRows>()
  for (const { layout, location } of layouts) {
    for (const entry of layout.entries.values()) {
      let start = 0
      entry.names.forEach((name, i) => {
        const count = entry.rowCounts[i]! // one per name
        found.set(name, { entry, location, start, count })
        start += count
      })
    }
  }
  return found
}

/** Some of a parameter's rows, start … end − 1. */
export function someRows(rows: ParameterRows, [start, end]: readonly [start: number, end: number]): ParameterRows {
  return { ...rows, start: rows.start + start, count: end - start }
}

/** The bytes of rows in one of their entry's places. */
export function bytesOfRows(
  { offsetBytes, lengthBytes }: PackedPlace,
  { entry, start, count }: ParameterRows,
): PackedPlace {
  const rowBytes = lengthBytes / (entry.shape[0] ?? 1)
  return { offsetBytes: offsetBytes + start * rowBytes, lengthBytes: count * rowBytes }
}

/**
 * Lays rows out in columns for people: the first column to the left, the others to the right.
 *
 * @param rows the first row is the heading
 */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>(
    (all, row) => row.map((cell, column) => Math.max(all[column] ?? 0, cell.length)),
    [],
  )
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd()
  return rows.map(line).join('\n')
}

/** Writes a share of [0, 1] as the paper's tables do: .686. */
export function share(value: number): string {
  return value.toFixed(3).replace(/^0\./, '.')
}

/** Lays named facts out for people, one to a line; lists are joined, and what is undefined is left out. */
export function factTable(facts: object): string {
  const entries = Object.entries(facts).filter(([, value]) => value !== undefined)
  const width = entries.reduce((widest, [name]) => Math.max(widest, name.length), 0)
  return entries.map(([name, value]) => `${name.padEnd(width)}  ${factText(value)}`.trimEnd()).join('\n')
}

function factText(value: unknown): string {
  if (Array.isArray(value)) return value.map(factText).join(', ')
  return typeof value === 'string' ? value : JSON.stringify(value)
}

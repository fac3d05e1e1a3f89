/** The mean of numbers; 0 for none. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}

/** The mean of each name over the records that have it, names sorted. */
export function meansByName(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = new Set(records.flatMap(record => Object.keys(record)))
  const values = (name: string): number[] => records.flatMap(record => record[name] ?? [])
  return Object.fromEntries([...names].toSorted().map(name => [name, mean(values(name))]))
}

/** Looks a text of a file up in a table, by the table's own keys: `constructor` and `__proto__` are no entries. */
export function ownValue<Value>(table: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined
}

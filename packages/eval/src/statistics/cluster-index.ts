/** Rows by their cluster, such as a patient. */
export interface ClusterIndex {
  /** C, how many clusters there are. */
  readonly count: number
  /** [N] cluster of each row, numbered by first appearance. */
  readonly ofRow: Int32Array
}

/** Numbers clusters by first appearance; a row without a name is a cluster of its own. */
export function clusterIndex(names: readonly (string | number | undefined)[]): ClusterIndex {
  const numbers = new Map<string | number, number>()
  let count = 0
  const ofRow = Int32Array.from(names, name => {
    const known = name === undefined ? undefined : numbers.get(name)
    if (known !== undefined) return known
    if (name !== undefined) numbers.set(name, count)
    return count++
  })
  return { count, ofRow }
}

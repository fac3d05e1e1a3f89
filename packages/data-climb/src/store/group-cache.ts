import type { Columns } from './stored-row.ts'

/** Characters of row groups that are kept; in memory, one byte each for most texts. */
const keptCharacters = 2 ** 26

/** The columns of row groups, of which those that were used last are kept up to a size. */
export class GroupCache<Group> {
  readonly #read: (group: Group) => Promise<Columns>
  readonly #kept = new Map<Group, Promise<Columns>>()
  readonly #sizes = new Map<Group, number>()
  #characters = 0

  constructor(read: (group: Group) => Promise<Columns>) {
    this.#read = read
  }

  /** @throws what reading throws; a group that could not be read is read again when it is asked for again */
  async columnsOf(group: Group): Promise<Columns> {
    const known = this.#kept.get(group)
    const columns = known ?? this.#read(group)
    this.#kept.delete(group)
    this.#kept.set(group, columns) // the last one used stands last
    try {
      const found = await columns
      if (known === undefined) this.#count(group, found)
      return found
    } catch (error) {
      this.#kept.delete(group)
      throw error
    }
  }

  #count(group: Group, columns: Columns): void {
    let size = 0
    for (const values of columns.values()) for (const value of values) size += String(value).length
    this.#sizes.set(group, size)
    this.#characters += size
    for (const oldest of this.#kept.keys()) {
      if (this.#characters <= keptCharacters) return
      if (oldest === group) continue
      this.#characters -= this.#sizes.get(oldest) ?? 0
      this.#sizes.delete(oldest)
      this.#kept.delete(oldest)
    }
  }
}

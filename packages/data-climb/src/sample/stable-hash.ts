import { createHash } from 'node:crypto'

/** Maps a text to [0, 1), the same on every machine (the first 48 bits of its SHA-256). */
export function hashFraction(text: string): number {
  return createHash('sha256').update(text).digest().readUIntBE(0, 6) / 2 ** 48
}

/** Picks one entry of a non-empty list by the hash of a text. */
export function pickByHash<Item>(items: readonly [Item, ...Item[]], text: string): Item {
  return items[Math.floor(hashFraction(text) * items.length)] ?? items[0]
}

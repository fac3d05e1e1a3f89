import type { MediaFile } from './decoded-media.ts'

/** Bytes of a file that are looked through: what a reader quotes stands in its header. */
const searchedBytes = 4 * 2 ** 20
const shortest = 2

/**
 * Words of a sentence that may be a file's own, such as the name of a record that its header gives: they stand in the file and are
 * no ordinary words. Of a WFDB header every word is its own.
 */
export function fileWords(sentence: string, files: readonly MediaFile[]): string[] {
  const words = [...new Set(sentence.match(/[^\s,;:()"'`]+/g) ?? [])].map(word => word.replace(/\.$/, ''))
  return words.filter(word => word.length >= shortest && files.some(file => isOwnWord(word, file)))
}

function isOwnWord(word: string, { name, bytes }: MediaFile): boolean {
  const isOrdinary = /^[A-Z]?[a-z]+$/.test(word) && !/\.hea$/i.test(name)
  const { buffer, byteOffset, byteLength } = bytes
  return !isOrdinary && Buffer.from(buffer, byteOffset, Math.min(byteLength, searchedBytes)).includes(word)
}

import path from 'node:path'
import { HintedError, isHintedError } from '@qoq-med/errors'
import { withoutClientWords } from '../client-words.ts'
import { fileWords } from './file-words.ts'
import type { MediaFile } from './decoded-media.ts'

/** Words of our own sentences that a header may have, too. */
const own: ReadonlySet<string> = new Set(['record', 'Record', 'file', 'format', 'signal', 'header', 'line', 'samples'])

/** Adds to an error which file it is about, and takes the names of files, and words of theirs, out of it; code and hint stay. */
export async function atFile<Value>(files: readonly MediaFile[], work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (cause) {
    if (!isHintedError(cause)) throw cause
    const names = files.flatMap(({ name }) => [name, path.basename(name), stemOf(name)])
    const place = files[0]?.place ?? 'The request'
    const words = [...names, ...fileWords(cause.message, files)]
    const message = withoutClientWords(cause.message, words, own)
    throw new HintedError(cause.code, `${place}: ${message}`, withoutClientWords(cause.hint, names, own), {
      cause,
      status: cause.status,
    })
  }
}

/** A file's name without folder and suffix. */
export function stemOf(name: string): string {
  return path.basename(name).replace(/\.[^.]*$/, '')
}

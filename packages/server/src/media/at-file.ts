import path from 'node:path'
import { HintedError, isHintedError } from '@qoq-med/errors'
import { withoutClientWords } from '../client-words.ts'
import type { MediaFile } from './decoded-media.ts'

const none: ReadonlySet<string> = new Set()

/** Adds to an error which file it is about, and takes the names of files out of it; code and hint stay. */
export async function atFile<Value>(files: readonly MediaFile[], work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (cause) {
    if (!isHintedError(cause)) throw cause
    const names = files.flatMap(({ name }) => [name, path.basename(name), stemOf(name)])
    const place = files[0]?.place ?? 'The request'
    const message = withoutClientWords(cause.message, names, none)
    throw new HintedError(cause.code, `${place}: ${message}`, withoutClientWords(cause.hint, names, none), {
      cause,
      status: cause.status,
    })
  }
}

/** A file's name without folder and suffix. */
export function stemOf(name: string): string {
  return path.basename(name).replace(/\.[^.]*$/, '')
}

import { HintedError, isHintedError } from '@qoq-med/errors'

/**
 * Does some work and adds the place to an error of a library that cannot know it: "Response 3: …". The code and the
 * hint stay; an error that already says a place of this package (a file) stays as it is.
 */
export async function atPlace<Value>(place: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (cause) {
    if (!isHintedError(cause) || cause.code.startsWith('CLI_')) throw cause
    throw new HintedError(cause.code, `${place}: ${cause.message}`, cause.hint, { cause })
  }
}

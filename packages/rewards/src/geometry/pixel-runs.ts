/** Runs of pixels inside a mask, as flat indices in row-major order: run i is `starts[i]` to `ends[i]` - 1. */
export interface PixelRuns {
  readonly starts: readonly number[]
  readonly ends: readonly number[]
}

/** Words read at a time where the pixels are all zero. */
const stride = 4

/**
 * Finds the runs of pixels that are not 0. Zeros are skipped sixteen pixels at a time and runs are ended by a native
 * search, so that an ordinary mask costs far less than a look at every pixel.
 *
 * @param limit gives up, with undefined, beyond this many runs
 */
export function pixelRuns(data: Uint8Array, limit: number): PixelRuns | undefined {
  const [starts, ends]: [number[], number[]] = [[], []]
  const words = wordsOf(data)
  for (let start = nextInside(data, words, 0); start < data.length;) {
    if (starts.length === limit) return undefined
    const zero = data.indexOf(0, start)
    const end = zero < 0 ? data.length : zero
    starts.push(start)
    ends.push(end)
    start = nextInside(data, words, end)
  }
  return { starts, ends }
}

/** The pixels as 32-bit words; none where they do not lie on a word's boundary. */
function wordsOf(data: Uint8Array): Int32Array {
  const isAligned = data.byteOffset % 4 === 0
  return new Int32Array(data.buffer, isAligned ? data.byteOffset : 0, isAligned ? Math.floor(data.length / 4) : 0)
}

/** Index of the first pixel at or after `from` that is not 0. */
function nextInside(data: Uint8Array, words: Int32Array, from: number): number {
  let at = from
  while (at < data.length && at % 4 !== 0) if (data[at++] !== 0) return at - 1
  let word = at / 4 // whole: the loop above ends on a multiple of 4, or at the end
  const last = words.length - stride
  while (word <= last && (words[word]! | words[word + 1]! | words[word + 2]! | words[word + 3]!) === 0) word += stride
  while (word < words.length && words[word] === 0) word += 1
  at = Math.max(at, Math.min(word, words.length) * 4)
  while (at < data.length && data[at] === 0) at += 1
  return at
}

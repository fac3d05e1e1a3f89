import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { dataErrors } from '../errors.ts'

/** Bytes of one line; a record with a long report and a thousand paths has fewer. */
const maxLineBytes = 2 ** 26

/** A line of a text file, and where its bytes stand, without the line feed. */
export interface PlacedLine {
  readonly text: string
  readonly start: number
  readonly end: number
}

/**
 * Reads a UTF-8 text line by line, as `textLines` does, with the place of every line.
 *
 * @throws DATA_TABLE_INVALID at a line without end, and the file system's errors
 */
export async function* placedLines(file: string): AsyncGenerator<PlacedLine> {
  let parts: Buffer[] = []
  let [start, bytes] = [0, 0]
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    let from = 0
    for (let feed = chunk.indexOf(10); feed >= 0; feed = chunk.indexOf(10, from)) {
      const end = start + bytes + feed - from
      yield { text: lineText([...parts, chunk.subarray(from, feed)]), start, end }
      ;[parts, bytes, from, start] = [[], 0, feed + 1, end + 1]
    }
    parts.push(chunk.subarray(from))
    bytes += chunk.length - from
    if (bytes > maxLineBytes) throw dataErrors.TABLE_INVALID({ problem: `a line has more than ${maxLineBytes} bytes` })
  }
  if (bytes > 0) yield { text: lineText(parts), start, end: start + bytes }
}

/** Reads lines again by their places. @throws the file system's errors */
export async function linesAt(file: string, places: readonly Omit<PlacedLine, 'text'>[]): Promise<string[]> {
  const handle = await open(file)
  try {
    const texts: string[] = []
    for (const { start, end } of places) {
      const bytes = Buffer.alloc(end - start)
      await handle.read(bytes, 0, bytes.length, start)
      texts.push(lineText([bytes]))
    }
    return texts
  } finally {
    await handle.close()
  }
}

function lineText(parts: readonly Buffer[]): string {
  return Buffer.concat(parts)
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .replace(/\r$/, '')
}

import { createReadStream } from 'node:fs'
import { dataErrors } from '../errors.ts'

/** Characters of one line; a record with a long report and a thousand paths has fewer. */
const maxLineCharacters = 2 ** 26

/**
 * Reads a UTF-8 text line by line. Lines end at a line feed alone, as JSON Lines has it: U+2028 and U+2029 are characters
 * of a text. A byte-order mark at the start and a carriage return before the line feed are dropped.
 *
 * @throws DATA_TABLE_INVALID at a line without end, and the file system's errors
 */
export async function* textLines(file: string): AsyncGenerator<string> {
  let rest = ''
  let isFirst = true
  for await (const chunk of createReadStream(file, { encoding: 'utf8' }) as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > maxLineCharacters)
      throw dataErrors.TABLE_INVALID({ problem: `a line has more than ${maxLineCharacters} characters` })
    for (const line of lines) {
      yield withoutEnds(line, isFirst)
      isFirst = false
    }
  }
  if (rest !== '') yield withoutEnds(rest, isFirst)
}

function withoutEnds(line: string, isFirst: boolean): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line
  return isFirst && text.startsWith('\uFEFF') ? text.slice(1) : text
}

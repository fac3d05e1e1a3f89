import { readLiteral, skipSpace, type Literal } from '../parse/literal.ts'

/** A value as the public code reads it from a text, and how: as JSON, or as a Python literal after that failed. */
export interface ReleaseValue {
  readonly value: Literal
  readonly dialect: 'json' | 'python'
  /** Lists that were tuples; the public code does not take them for lists. */
  readonly tuples: ReadonlySet<Literal>
}

const byteOrderMark = '\uFEFF'

/** Reads a whole text as JSON with NaN and infinities; undefined where it is not exactly one value. */
export function releaseJson(text: string): ReleaseValue | undefined {
  const reading = wholeLiteral(text)
  if (reading === undefined || reading.pythonOnly) return undefined
  return { value: reading.value, dialect: 'json', tuples: reading.tuples }
}

/** Reads a whole text as a Python literal after the public code's replacement of single by double quotes. */
export function releasePython(text: string): ReleaseValue | undefined {
  const reading = wholeLiteral(text.replaceAll("'", '"'))
  if (reading === undefined || reading.jsonOnly) return undefined
  return { value: reading.value, dialect: 'python', tuples: reading.tuples }
}

/** The first fenced block that parses: all are tried as JSON, then all as Python. */
export function releaseBlock(text: string): ReleaseValue | undefined {
  const contents = fenceContents(text)
  for (const read of [releaseJson, releasePython]) {
    for (const content of contents) {
      const value = read(content)
      if (value !== undefined) return value
    }
  }
  return undefined
}

function wholeLiteral(text: string): ReturnType<typeof readLiteral> {
  if (text.includes(byteOrderMark)) return undefined
  const reading = readLiteral(text)
  return reading !== undefined && skipSpace(text, reading.end) === text.length ? reading : undefined
}

function fenceContents(text: string): readonly string[] {
  const contents: string[] = []
  for (let at = 0; ;) {
    const open = text.indexOf('```', at)
    const from = text.startsWith('json', open + 3) ? open + 7 : open + 3
    const close = open < 0 ? -1 : text.indexOf('```', from)
    if (close < 0) return contents
    contents.push(text.slice(from, close))
    at = close + 3
  }
}

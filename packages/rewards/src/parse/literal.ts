/** A value written by a model: JSON, or the Python spelling of it. */
export type Literal = null | boolean | number | string | readonly Literal[] | { readonly [key: string]: Literal }

/** One value read from a text, where it ended, and which spellings it used. */
export interface LiteralReading {
  readonly value: Literal
  /** Index after the value. */
  readonly end: number
  /** Uses something only JSON has: null, true, false, NaN, Infinity. */
  readonly jsonOnly: boolean
  /** Uses something only Python has: None, True, False, single quotes, a tuple, a comma before the closing bracket. */
  readonly pythonOnly: boolean
  /** Positions of the tuples among the lists, which the public code tells apart. */
  readonly tuples: ReadonlySet<Literal>
}

/** Nesting beyond which a value is given up: a list of boxes needs four levels. */
const maxDepth = 32

const words: Readonly<Record<string, { value: null | boolean | number; spelling: 'jsonOnly' | 'pythonOnly' }>> = {
  null: { value: null, spelling: 'jsonOnly' },
  true: { value: true, spelling: 'jsonOnly' },
  false: { value: false, spelling: 'jsonOnly' },
  NaN: { value: NaN, spelling: 'jsonOnly' },
  Infinity: { value: Infinity, spelling: 'jsonOnly' },
  '-Infinity': { value: -Infinity, spelling: 'jsonOnly' },
  None: { value: null, spelling: 'pythonOnly' },
  True: { value: true, spelling: 'pythonOnly' },
  False: { value: false, spelling: 'pythonOnly' },
}
const space = /[\s\uFEFF]*/y
const word = /-?[A-Za-z]+/y
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y
const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' }

interface Cursor {
  readonly text: string
  at: number
  jsonOnly: boolean
  pythonOnly: boolean
  readonly tuples: Set<Literal>
}

/**
 * Reads one value that starts at `start` (white space before it is skipped). Every character is read once.
 *
 * @returns the reading, or undefined where there is no complete value
 */
export function readLiteral(text: string, start = 0): LiteralReading | undefined {
  const cursor: Cursor = { text, at: start, jsonOnly: false, pythonOnly: false, tuples: new Set() }
  const value = readValue(cursor, 0)
  if (value === undefined) return undefined
  return { value, end: cursor.at, jsonOnly: cursor.jsonOnly, pythonOnly: cursor.pythonOnly, tuples: cursor.tuples }
}

/** Below this length V8's parser gains nothing, and the errors it throws cost more than the reading. */
const shortText = 512

/** Reads a long text as JSON; undefined where it is short or no JSON. Several times faster than `readLiteral`, which reads more. */
export function readJson(text: string): Literal | undefined {
  if (text.length < shortText) return undefined
  try {
    return JSON.parse(text) as Literal // JSON has no other values
  } catch {
    return undefined
  }
}

/** Index of the first character at or after `at` that is not white space (a byte order mark counts as white space). */
export function skipSpace(text: string, at: number): number {
  const code = text.charCodeAt(at)
  if (code > 0x20 && code < 0x7f) return at
  space.lastIndex = at
  space.test(text)
  return space.lastIndex
}

function readValue(cursor: Cursor, depth: number): Literal | undefined {
  cursor.at = skipSpace(cursor.text, cursor.at)
  const first = cursor.text[cursor.at]
  if (first === undefined || depth > maxDepth) return undefined
  if (first === '[') return readList(cursor, ']', depth)
  if (first === '(') return readTuple(cursor, depth)
  if (first === '{') return readObject(cursor, depth)
  if (first === '"' || first === "'") return readString(cursor, first)
  return readNumber(cursor) ?? readWord(cursor)
}

function readList(cursor: Cursor, closing: string, depth: number): Literal[] | undefined {
  const items: Literal[] = []
  return readItems(cursor, closing, () => {
    const item = readValue(cursor, depth + 1)
    if (item !== undefined) items.push(item)
    return item !== undefined
  })
    ? items
    : undefined
}

function readTuple(cursor: Cursor, depth: number): Literal | undefined {
  const items = readList(cursor, ')', depth)
  if (items === undefined) return undefined
  cursor.pythonOnly = true
  cursor.tuples.add(items)
  return items
}

function readObject(cursor: Cursor, depth: number): Literal | undefined {
  const entries = new Map<string, Literal>()
  const isRead = readItems(cursor, '}', () => {
    cursor.at = skipSpace(cursor.text, cursor.at)
    const quote = cursor.text[cursor.at]
    const key = quote === '"' || quote === "'" ? readString(cursor, quote) : undefined
    if (key === undefined || !take(cursor, ':')) return false
    const value = readValue(cursor, depth + 1)
    if (value !== undefined) entries.set(key, value)
    return value !== undefined
  })
  return isRead ? Object.fromEntries(entries) : undefined
}

function readItems(cursor: Cursor, closing: string, readItem: () => boolean): boolean {
  cursor.at += 1
  if (take(cursor, closing)) return true
  for (;;) {
    if (!readItem()) return false
    if (take(cursor, closing)) return true
    if (!take(cursor, ',')) return false
    if (take(cursor, closing)) {
      cursor.pythonOnly = true
      return true
    }
  }
}

function take(cursor: Cursor, character: string): boolean {
  cursor.at = skipSpace(cursor.text, cursor.at)
  if (cursor.text[cursor.at] !== character) return false
  cursor.at += 1
  return true
}

function readString(cursor: Cursor, quote: string): string | undefined {
  if (quote === "'") cursor.pythonOnly = true
  const pieces: string[] = []
  let from = cursor.at + 1
  for (let i = from; i < cursor.text.length; i++) {
    const character = cursor.text[i]
    if (character === quote) {
      pieces.push(cursor.text.slice(from, i))
      cursor.at = i + 1
      return pieces.join('')
    }
    if (character === '\\') {
      const escape = readEscape(cursor.text, i)
      pieces.push(cursor.text.slice(from, i), escape.value)
      from = escape.end
      i = from - 1
    }
  }
  return undefined
}

function readEscape(text: string, backslash: number): { value: string; end: number } {
  const kind = text[backslash + 1] ?? ''
  const code = /^[0-9a-fA-F]{4}$/.test(text.slice(backslash + 2, backslash + 6)) ? backslash + 6 : undefined
  if (kind === 'u' && code !== undefined) {
    return { value: String.fromCharCode(Number.parseInt(text.slice(backslash + 2, code), 16)), end: code }
  }
  return { value: escapes[kind] ?? kind, end: backslash + 2 }
}

function readNumber(cursor: Cursor): number | undefined {
  number.lastIndex = cursor.at
  const found = number.exec(cursor.text)
  if (found === null) return undefined
  cursor.at = number.lastIndex
  return Number(found[0])
}

function readWord(cursor: Cursor): Literal | undefined {
  word.lastIndex = cursor.at
  const found = word.exec(cursor.text)
  const known = found === null || !Object.hasOwn(words, found[0]) ? undefined : words[found[0]]
  if (known === undefined) return undefined
  cursor.at = word.lastIndex
  cursor[known.spelling] = true
  return known.value
}

/** No document of a checkpoint is nested a tenth as deep. */
const maxDepth = 100

/**
 * Finds what `JSON.parse` lets pass: a key that an object has twice, of which it keeps the last silently, so that a file
 * could show one header to this reader and another to the next; and nesting without an end.
 *
 * @param text valid JSON
 * @returns such as `has the key "a" twice`, or undefined
 */
export function jsonProblem(text: string): string | undefined {
  const scopes: (Set<string> | undefined)[] = []
  let expectsKey = false
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    if (scopes.length > maxDepth) return `is nested more than ${maxDepth} deep`
    if (char === '{') {
      scopes.push(new Set())
      expectsKey = true
    } else if (char === '[') {
      scopes.push(undefined)
      expectsKey = false
    } else if (char === '}' || char === ']') scopes.pop()
    else if (char === ',') expectsKey = scopes.at(-1) !== undefined
    else if (char === '"') {
      const end = stringEnd(text, i)
      if (expectsKey) {
        const key = JSON.parse(text.slice(i, end)) as string // a JSON string literal
        const scope = scopes.at(-1)
        if (scope?.has(key)) return `has the key ${JSON.stringify(key)} twice`
        scope?.add(key)
        expectsKey = false
      }
      i = end - 1
    }
  }
  return undefined
}

function stringEnd(text: string, start: number): number {
  let i = start + 1
  while (i < text.length && text[i] !== '"') i += text[i] === '\\' ? 2 : 1
  return i + 1
}

/**
 * Parses a JSON text that must be an object without a repeated key.
 *
 * @param fail makes the error for what is wrong, such as "is not valid JSON"
 */
export function parseObject(text: string, fail: (problem: string) => Error): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw fail('is not valid JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fail('is not a JSON object')
  const problem = jsonProblem(text)
  if (problem !== undefined) throw fail(problem)
  return value as Record<string, unknown> // just checked
}

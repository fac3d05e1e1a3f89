/**
 * Finds a key that an object of a JSON text has twice. `JSON.parse` keeps the last one silently, which would let a file
 * show one header to this reader and another to the next.
 *
 * @param text valid JSON
 * @returns the first repeated key, or undefined
 */
export function duplicateKey(text: string): string | undefined {
  const scopes: (Set<string> | undefined)[] = []
  let expectsKey = false
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
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
        if (scope?.has(key)) return key
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

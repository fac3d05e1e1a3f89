/** A value of the template interpreter, as far as it is shown or trimmed. */
export interface TemplateValue {
  readonly type: string
  readonly value: unknown
}

/** Writes a value as Python's `str` does, which is what Jinja prints: `True`, `None`, `['a', 1]`. */
export function pythonText(value: TemplateValue): string {
  if (value.type === 'UndefinedValue') return ''
  return value.type === 'StringValue' ? String(value.value) : pythonRepr(value)
}

function pythonRepr({ type, value }: TemplateValue): string {
  switch (type) {
    case 'StringValue':
      return quoted(String(value))
    case 'BooleanValue':
      return value === true ? 'True' : 'False'
    case 'NullValue':
      return 'None'
    case 'FloatValue':
      return Number.isInteger(value) ? `${String(value)}.0` : String(value)
    case 'ArrayValue':
      return `[${[...(value as Iterable<TemplateValue>)].map(pythonRepr).join(', ')}]` // the interpreter's arrays
    case 'ObjectValue':
      return `{${[...(value as Map<string, TemplateValue>)].map(([key, one]) => `${quoted(key)}: ${pythonRepr(one)}`).join(', ')}}` // and its objects
    default:
      return String(value)
  }
}

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll(quote, `\\${quote}`)
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')
  return quote + escaped + quote
}

/** Python's `strip`, `lstrip` and `rstrip` with the set of characters to take off. */
export function pythonStrip(text: string, method: 'strip' | 'lstrip' | 'rstrip', characters: string): string {
  const set = new Set(characters)
  let [start, end] = [0, text.length]
  if (method !== 'rstrip') while (start < end && set.has(text.charAt(start))) start++
  if (method !== 'lstrip') while (end > start && set.has(text.charAt(end - 1))) end--
  return text.slice(start, end)
}

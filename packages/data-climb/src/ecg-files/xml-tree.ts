import { SaxesParser } from 'saxes'
import { dataErrors } from '../errors.ts'

/** An element: its name without namespace prefix, its attributes, its own text, its elements. */
export interface XmlElement {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly XmlElement[]
  /** Text directly in the element, pieces joined. */
  readonly text: string
}

/** Half an hour of twelve leads at 500 Hz in digits. */
const maxBytes = 64 * 2 ** 20
/** The deepest annotations of an aECG lie below 30. */
const maxDepth = 100
/** A resting ECG with all its measurements has some thousand elements. */
const maxElements = 500_000

/**
 * Parses an XML file into a tree. Nothing is expanded but the five predefined entities and character numbers; a document
 * type may be named, as GE MUSE does, but not defined.
 *
 * @throws DATA_ECG_INVALID when it is malformed, defines entities, or is larger or deeper than any electrocardiogram
 */
export function parseXml(bytes: Uint8Array): XmlElement {
  if (bytes.length > maxBytes) throw invalid(`it has more than ${maxBytes} bytes`)
  const builder = new TreeBuilder()
  const parser = new SaxesParser({ position: false })
  parser.on('error', cause => {
    throw invalid('it is malformed', cause)
  })
  parser.on('doctype', doctype => {
    if (doctype.includes('[')) throw invalid('it defines a document type of its own')
  })
  parser.on('opentag', tag => builder.open(tag.name, tag.attributes))
  parser.on('text', text => builder.add(text))
  parser.on('cdata', text => builder.add(text))
  parser.on('closetag', () => builder.close())
  parser.write(xmlText(bytes)).close()
  return builder.root()
}

/** Reads the name of the first element from the start of an XML file; undefined where there is none. */
export function rootName(start: Uint8Array): string | undefined {
  const text = xmlText(start).replaceAll(/<!--[\s\S]*?-->/g, '')
  if (!/^\s*</.test(text)) return undefined
  return /<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)[\s/>]/.exec(text)?.[1]
}

/** Text in the encoding that a byte-order mark, the zeros of UTF-16 or the declaration tell; UTF-8 otherwise, Latin-1 where it is none. */
function xmlText(bytes: Uint8Array): string {
  const declared = /^\s*<\?xml[^>]*encoding\s*=\s*["']([\w.:-]+)["']/.exec(latin1(bytes.subarray(0, 200)))?.[1]
  const label = wideEncoding(bytes) ?? (declared === undefined || /^utf-?16/i.test(declared) ? 'utf-8' : declared)
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes)
  } catch {
    return latin1(bytes)
  }
}

function wideEncoding([first, second, third]: Uint8Array): string | undefined {
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  if (first === 0xfe && second === 0xff) return 'utf-16be'
  if (first === 0x3c && second === 0) return 'utf-16le'
  return first === 0 && second === 0x3c && third === 0 ? 'utf-16be' : undefined
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes)
}

interface OpenElement {
  readonly name: string
  readonly attributes: Map<string, string>
  readonly children: OpenElement[]
  text: string
}

class TreeBuilder {
  readonly #open: OpenElement[] = []
  #root: OpenElement | undefined
  #elements = 0

  open(name: string, attributes: Readonly<Record<string, string | { value: string }>>): void {
    if (this.#open.length >= maxDepth) throw invalid(`its elements lie more than ${maxDepth} deep`)
    if (++this.#elements > maxElements) throw invalid(`it has more than ${maxElements} elements`)
    const values = Object.entries(attributes).map(
      ([key, value]) => [localName(key), typeof value === 'string' ? value : value.value] as const,
    )
    const element: OpenElement = { name: localName(name), attributes: new Map(values), children: [], text: '' }
    const parent = this.#open.at(-1)
    if (parent) parent.children.push(element)
    else this.#root ??= element
    this.#open.push(element)
  }

  add(text: string): void {
    const element = this.#open.at(-1)
    if (element) element.text += text
  }

  close(): void {
    this.#open.pop()
  }

  root(): XmlElement {
    if (!this.#root) throw invalid('it has no element')
    return this.#root
  }
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}

function invalid(problem: string, cause?: unknown): Error {
  return dataErrors.ECG_INVALID({ format: 'XML', problem }, { cause })
}

/** The first element at a path of names below an element. */
export function elementAt(element: XmlElement | undefined, ...path: readonly string[]): XmlElement | undefined {
  return path.reduce<XmlElement | undefined>((at, name) => at?.children.find(child => child.name === name), element)
}

/** All elements of a name directly below an element. */
export function elementsOf(element: XmlElement | undefined, name: string): readonly XmlElement[] {
  return element?.children.filter(child => child.name === name) ?? []
}

/** The text of the first element at a path, trimmed; empty where there is none. */
export function textAt(element: XmlElement | undefined, ...path: readonly string[]): string {
  return elementAt(element, ...path)?.text.trim() ?? ''
}

/** A number that stands in a text; undefined where the text is blank or something else. */
export function numberIn(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? ''
  const value = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(trimmed) ? Number(trimmed) : Number.NaN
  return Number.isFinite(value) ? value : undefined
}

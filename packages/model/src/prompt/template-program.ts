import { Environment, parse, tokenize, type Interpreter } from '@huggingface/jinja'
import { pythonStrip, pythonText, type TemplateValue } from './python-values.ts'

/** A parsed template; what the interpreter runs. */
export type TemplateProgram = Parameters<Interpreter['run']>[0]

/** Names that the adapted program calls; no template can write them. */
const [show, strip] = ['%show', '%strip'] as const

interface Node {
  type: string
  [field: string]: unknown
}

/**
 * Parses a chat template, and mends what the interpreter does otherwise than Python's Jinja: `{% raw %}`, values that are
 * printed as Python prints them, and `strip` with characters to take off.
 *
 * @throws SyntaxError for a template that is none
 */
export function parseTemplate(source: string): TemplateProgram {
  const program = parse(tokenize(withoutRaw(source), { lstrip_blocks: true, trim_blocks: true }))
  adapt(program)
  return program
}

/** The functions and values that templates and `parseTemplate` expect. @param maxRange numbers that `range` may give */
export function templateEnvironment(variables: Readonly<Record<string, unknown>>, maxRange: number): Environment {
  const environment = new Environment()
  const constants = { true: true, false: false, none: null, True: true, False: false, None: null }
  for (const [name, value] of Object.entries({ ...constants, ...variables })) environment.set(name, value)
  environment.set('range', (...bounds: readonly number[]) => boundedRange(bounds, maxRange))
  environment.set('raise_exception', (message: unknown) => {
    throw new Error(String(message))
  })
  const define = (name: string, textOf: (args: readonly TemplateValue[]) => string): void => {
    const value = { type: 'FunctionValue', value: (args: readonly TemplateValue[]) => text(environment, textOf(args)) }
    environment.variables.set(name, value) // a value of the interpreter, whose classes are not exported
  }
  define(show, ([value]) => pythonText(value!))
  define(strip, ([value, method, characters]) =>
    pythonStrip(textIn(value), method?.value as 'strip', textIn(characters)),
  ) // the method's name is written by `adapt`
  return environment
}

function textIn(value: TemplateValue | undefined): string {
  if (typeof value?.value !== 'string') throw new Error('strip takes a text')
  return value.value
}

/** A text as a value of the interpreter. */
function text(environment: Environment, value: string): unknown {
  environment.variables.delete('%text')
  return environment.set('%text', value)
}

function boundedRange([first = 0, last, step = 1]: readonly number[], limit: number): number[] {
  const [start, stop] = last === undefined ? [0, first] : [first, last]
  if (step === 0) throw new Error('range() step must not be zero')
  const count = Math.max(0, Math.ceil((stop - start) / step))
  if (count > limit) throw new Error(`range() of ${count} numbers is more than ${limit}`)
  return Array.from({ length: count }, (_, i) => start + i * step)
}

/** Writes raw blocks as texts in an expression: the interpreter does not know them. */
function withoutRaw(source: string): string {
  if (!source.includes('raw')) return source
  return source.replaceAll(/\{%-?\s*raw\s*-?%\}([^]*?)\{%-?\s*endraw\s*-?%\}/g, (_match, content: string) => {
    const escaped = content.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')
    return `{{ '${escaped}' }}`
  })
}

/** Fields of a node that hold statements, whose values are printed. */
const bodies = ['body', 'alternate', 'defaultBlock'] as const
/** Statements that are no expression. */
const silent: ReadonlySet<string> = new Set([
  'Set',
  'If',
  'For',
  'Macro',
  'Break',
  'Continue',
  'Comment',
  'CallStatement',
  'FilterStatement',
  'StringLiteral',
])

function adapt(node: Node): void {
  for (const field of bodies) {
    const body = node[field]
    if (Array.isArray(body)) node[field] = body.map((one: Node) => (silent.has(one.type) ? one : call(show, [one])))
  }
  for (const child of childrenOf(node)) adapt(child)
  const { callee, args } = node as { callee?: Node; args?: readonly Node[] }
  if (node.type !== 'CallExpression' || callee?.type !== 'MemberExpression' || args?.length !== 1) return
  const { object, property, computed } = callee as unknown as { object: Node; property: Node; computed: boolean }
  if (computed || !['strip', 'lstrip', 'rstrip'].includes(String(property.value))) return
  Object.assign(node, call(strip, [object, { type: 'StringLiteral', value: property.value }, ...args]))
}

function call(name: string, args: readonly Node[]): Node {
  return { type: 'CallExpression', callee: { type: 'Identifier', value: name }, args }
}

function childrenOf(node: Node): Node[] {
  const values = Object.values(node).flatMap(value => (value instanceof Map ? [...value].flat() : [value].flat()))
  return values.filter((value): value is Node => typeof value === 'object' && value !== null && 'type' in value)
}

import { createHash } from 'node:crypto'
import { escapeHtml, htmlPage, htmlTable } from '@qoq-med/report'
import { schemaFields, type JsonSchema } from './schema-fields.ts'

/** A route as its document describes it. */
export interface Operation {
  readonly summary: string
  readonly description?: string
  readonly requestBody?: { readonly required: boolean; readonly content: Readonly<Record<string, BodyContent>> }
  readonly responses: {
    readonly 200: { readonly description: string; readonly content: Readonly<Record<string, object>> }
    readonly [other: string]: object
  }
  readonly [other: string]: unknown
}

interface BodyContent {
  readonly schema: JsonSchema
  readonly example?: object | undefined
}

/** An OpenAPI document, as far as the page shows it. */
export interface ApiDocument {
  readonly info: { readonly title: string; readonly [other: string]: string }
  readonly [other: string]: unknown
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

const json = 'application/json'
const form = 'multipart/form-data'

/** A page that holds its style alone, and may load, run and send nothing. */
export interface ApiPage {
  readonly html: string
  readonly contentSecurityPolicy: string
}

/**
 * Writes the routes of a document as one page: what each is for, what it takes, what it answers, and a command that asks it.
 *
 * @param address of the server, for the commands
 */
export function apiPage({ info, paths }: ApiDocument, address: string): ApiPage {
  const routes = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  )
  const html = htmlPage(`${info.title}: routes`, [
    introduction,
    listOf(routes),
    ...routes.map(one => section(one, address)),
  ])
  return { html, contentSecurityPolicy: policyOf(html) }
}

interface Route {
  readonly method: string
  readonly path: string
  readonly operation: Operation
}

const introduction = `<p>The same as a document for programs: <a href="/openapi.json">/openapi.json</a>. To try the model: <a href="/">the page</a>.
Where keys are asked for, send <code>authorization: Bearer KEY</code> with every request but those of /health. Errors are
<code>{"error": {"message", "type", "code", "hint"}}</code>; codes never change.</p>`

function listOf(routes: readonly Route[]): string {
  const items = routes.map(
    ({ method, path, operation }) =>
      `<li><a href="#${anchor({ method, path })}">${method} ${escapeHtml(path)}</a>: ${escapeHtml(operation.summary)}</li>`,
  )
  return `<nav aria-label="Routes"><ul>${items.join('')}</ul></nav>`
}

function section({ method, path, operation }: Route, address: string): string {
  const { summary, description = '', requestBody, responses } = operation
  const body = requestBody?.content[json]
  const fields = body ? schemaFields(body.schema) : []
  return `<section><h2 id="${anchor({ method, path })}">${method} ${escapeHtml(path)}</h2>
<p>${escapeHtml(`${summary} ${description}`)}</p>
${fields.length > 0 ? fieldTable(fields) : ''}
<p>Answers ${Object.keys(responses[200].content).map(escapeHtml).join(', ')}.</p>
<pre>${commands({ method, path, operation }, address).map(escapeHtml).join('\n')}</pre></section>`
}

function fieldTable(fields: ReturnType<typeof schemaFields>): string {
  const rows = fields.map(({ path, type, isRequired }) => [path, type, isRequired ? 'yes' : ''])
  return htmlTable(['field', 'what it holds', 'required'], rows)
}

/** How curl asks a route. */
function commands({ method, path, operation }: Route, address: string): string[] {
  const url = `curl ${address}${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => name.toUpperCase())}`
  if (method === 'GET') return [url]
  const content = operation.requestBody?.content ?? {}
  const fields = Object.entries(content[form]?.example ?? {}).flatMap(([name, values]) =>
    [values].flat().map(value => `-F '${name}=${String(value)}'`),
  )
  return [
    ...(content[json]?.example ? [`${url} --json '${JSON.stringify(content[json].example)}'`] : []),
    ...(fields.length > 0 ? [`${url} -H 'x-qoq-request: 1' ${fields.join(' ')}`] : []),
  ]
}

function anchor({ method, path }: Pick<Route, 'method' | 'path'>): string {
  return `${method} ${path}`.toLowerCase().replaceAll(/[^a-z\d]+/g, '-')
}

/** Its own style, told by its checksum, and nothing else. */
function policyOf(html: string): string {
  const style = /<style>([^]*?)<\/style>/.exec(html)?.[1] ?? ''
  const checksum = createHash('sha256').update(style).digest('base64')
  return `default-src 'none'; img-src data:; style-src 'sha256-${checksum}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
}

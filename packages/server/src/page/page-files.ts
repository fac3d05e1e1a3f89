import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** A file of the page: its address and what a browser is sent. */
export interface PageFile {
  readonly url: string
  readonly type: string
  readonly bytes: Buffer
}

const types: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
  ['.png', 'image/png'],
])

/** Where the build puts the page, seen from the sources and from the built package alike. */
const pageFolder = path.resolve(import.meta.dirname, '../../dist/browser')

/**
 * Reads the built page. Each file becomes a route of its own: what a request names is never made a path.
 *
 * @returns nothing where the page was not built
 */
export function readPage(folder: string = pageFolder): PageFile[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true, recursive: true }).flatMap(entry => {
    const type = types.get(path.extname(entry.name))
    if (!entry.isFile() || type === undefined) return []
    const file = path.join(entry.parentPath, entry.name)
    const url = `/${path.relative(folder, file).split(path.sep).join('/')}`
    return [{ url: url === '/index.html' ? '/' : url, type, bytes: readFileSync(file) }]
  })
}

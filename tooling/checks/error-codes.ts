// Fails on an error code that docs/errors.md does not list or that no test mentions, and on a listed code
// that no table has.
import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { packageFolders, report, typescriptFiles } from './workspace.ts'

/** Lists what is wrong with the error codes below `root`, one sentence each. */
export function errorCodeProblems(root: string): string[] {
  const docsFile = join(root, 'docs', 'errors.md')
  const docs = existsSync(docsFile) ? readFileSync(docsFile, 'utf8') : ''
  const documented = new Set([...docs.matchAll(/`([A-Z][A-Z0-9]*_[A-Z0-9_]+)`/g)].map(([, code = '']) => code))
  const problems: string[] = []
  const known = new Set<string>()
  const files = packageFolders(root).flatMap(typescriptFiles)
  const tests = files.filter(file => file.endsWith('.test.ts')).map(file => readFileSync(file, 'utf8'))
  for (const file of files.filter(path => path.endsWith('errors.ts'))) {
    for (const code of errorCodes(readFileSync(file, 'utf8'))) {
      known.add(code)
      const where = relative(root, file)
      if (!documented.has(code)) problems.push(`${where}: ${code} is not in docs/errors.md.`)
      if (!tests.some(text => mentions(text, code))) problems.push(`${where}: no test mentions ${code}.`)
    }
  }
  const stale = [...documented].filter(code => !known.has(code))
  return [...problems, ...stale.map(code => `docs/errors.md: ${code} is in no table of errors.`)]
}

/** Reads the codes out of the text of a file of tables: a table's prefix and the names of its rows. */
export function errorCodes(text: string): string[] {
  const [before = '', ...tables] = text.split('defineErrors(')
  return tables.flatMap(table => {
    const prefix = /^\s*'([A-Z0-9_]+)'/.exec(table)?.[1]
    const own = rowNames(table)
    // A table that is named first and passed later has its rows above.
    return prefix === undefined ? [] : (own.length > 0 ? own : rowNames(before)).map(row => `${prefix}_${row}`)
  })
}

function rowNames(text: string): string[] {
  return [...text.matchAll(/^ {2}([A-Z][A-Z0-9_]*): \{/gm)].map(([, row = '']) => row)
}

function mentions(text: string, code: string): boolean {
  return new RegExp(`\\b${code}\\b`).test(text)
}

if (import.meta.main) report(errorCodeProblems(process.cwd()), 'Every error code is documented and tested.')

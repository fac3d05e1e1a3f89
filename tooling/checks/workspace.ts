// What the checks share: where packages and their sources are, and how a check ends.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const skipped: ReadonlySet<string> = new Set(['node_modules', 'dist', 'fixtures', 'generated', '.turbo', 'coverage'])

/** Lists the folders of the workspace's packages, such as `<root>/packages/errors`. */
export function packageFolders(root: string): string[] {
  const packages = join(root, 'packages')
  return readdirSync(packages)
    .map(name => join(packages, name))
    .filter(folder => statSync(folder).isDirectory())
}

/** Lists the TypeScript files below a folder; a folder that does not exist has none. */
export function typescriptFiles(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true })
  return entries.flatMap(entry => {
    if (skipped.has(entry.name)) return []
    const path = join(folder, entry.name)
    return entry.isDirectory() ? typescriptFiles(path) : entry.name.endsWith('.ts') ? [path] : []
  })
}

/** Prints a check's problems, or that there are none, and sets the exit code. */
export function report(problems: readonly string[], fine: string): void {
  for (const problem of problems) console.error(problem)
  console.log(problems.length === 0 ? fine : `${problems.length} problems.`)
  process.exitCode = problems.length === 0 ? 0 : 1
}

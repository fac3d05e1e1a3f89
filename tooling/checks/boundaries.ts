// Fails on an import between packages that is not on the list of allowed arrows, and on a deep import into one.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

const allowed: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  'core-drpo': ['errors'],
  rewards: ['errors'],
  tensor: ['errors'],
  encoders: ['errors', 'tensor'],
  model: ['errors', 'tensor', 'encoders'],
  'data-climb': ['errors'],
  trainer: ['errors', 'core-drpo', 'rewards', 'tensor', 'encoders', 'model', 'data-climb'],
  eval: ['errors', 'model', 'encoders', 'rewards', 'data-climb'],
  server: ['errors', 'model', 'encoders', 'rewards', 'core-drpo', 'data-climb'],
  cli: ['errors', 'core-drpo', 'rewards', 'tensor', 'encoders', 'model', 'data-climb', 'trainer', 'eval', 'server'],
}

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap(name => {
    const path = join(folder, name)
    if (name === 'node_modules' || name === 'dist' || name === 'fixtures') return []
    return statSync(path).isDirectory() ? sources(path) : path.endsWith('.ts') ? [path] : []
  })
}

/** Lists the forbidden imports below `root`, one sentence each. */
export function forbiddenImports(root: string): string[] {
  const problems: string[] = []
  for (const name of readdirSync(join(root, 'packages'))) {
    const arrows = allowed[name]
    if (!arrows) problems.push(`packages/${name} has no row in tooling/checks/boundaries.ts.`)
    for (const file of sources(join(root, 'packages', name))) {
      for (const [, target, deep] of readFileSync(file, 'utf8').matchAll(/['"]@qoq-med\/([\w-]+)(\/[^'"]*)?['"]/g)) {
        if (target === 'source' || target === name) continue
        if (!arrows?.includes(target!)) problems.push(`${file} imports @qoq-med/${target}, which ${name} may not.`)
        if (deep && deep !== '/testing')
          problems.push(`${file} imports @qoq-med/${target}${deep}, which is not public.`)
      }
    }
  }
  return problems
}

if (import.meta.main) {
  const problems = forbiddenImports(process.cwd())
  for (const problem of problems) console.error(problem)
  console.log(problems.length === 0 ? 'Imports follow the allowed arrows.' : `${problems.length} forbidden imports.`)
  process.exitCode = problems.length === 0 ? 0 : 1
}

// Fails on an import between packages that is not on the list of allowed arrows, and on a deep import into one.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { packageFolders, report, typescriptFiles } from './workspace.ts'

const allowed: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  report: [],
  'whole-file': [],
  nano: [],
  'core-drpo': ['errors'],
  rewards: ['errors'],
  tensor: ['errors'],
  encoders: ['errors', 'tensor'],
  model: ['errors', 'whole-file', 'tensor', 'encoders'],
  'data-climb': ['errors', 'whole-file'],
  trainer: ['errors', 'whole-file', 'report', 'core-drpo', 'rewards', 'tensor', 'encoders', 'model', 'data-climb'],
  eval: ['errors', 'whole-file', 'report', 'model', 'encoders', 'rewards', 'data-climb'],
  server: ['errors', 'whole-file', 'report', 'model', 'encoders', 'rewards', 'core-drpo', 'data-climb'],
  cli: [
    'errors',
    'whole-file',
    'report',
    'core-drpo',
    'rewards',
    'tensor',
    'encoders',
    'model',
    'data-climb',
    'trainer',
    'eval',
    'server',
    'nano',
  ],
}

/** Lists the forbidden imports below `root`, one sentence each. */
export function forbiddenImports(root: string): string[] {
  const problems: string[] = []
  for (const folder of packageFolders(root)) {
    const name = basename(folder)
    const arrows = allowed[name]
    if (!arrows) problems.push(`packages/${name} has no row in tooling/checks/boundaries.ts.`)
    for (const file of typescriptFiles(folder)) {
      for (const [, target = '', deep] of readFileSync(file, 'utf8').matchAll(
        /['"]@qoq-med\/([\w-]+)(\/[^'"]*)?['"]/g,
      )) {
        if (target === 'source' || target === name) continue
        if (!arrows?.includes(target)) problems.push(`${file} imports @qoq-med/${target}, which ${name} may not.`)
        if (deep && deep !== '/testing')
          problems.push(`${file} imports @qoq-med/${target}${deep}, which is not public.`)
      }
    }
  }
  return problems
}

if (import.meta.main) report(forbiddenImports(process.cwd()), 'Imports follow the allowed arrows.')

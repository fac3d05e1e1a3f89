// Fails on a name that two packages export: who reads it in a program must look which one it is.
import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { packageFolders, report } from './workspace.ts'

/** One meaning: the package below states what it takes, and the one above gives that (STYLE: who may import whom). */
const twins: readonly string[] = ['BoxXyxy', 'EcgRecording', 'RgbImage']

/** Lists the names below `root` that several packages export and that are not known, one sentence each. */
export function doubleNames(root: string, known: readonly string[] = twins): string[] {
  const owners = new Map<string, string[]>()
  for (const folder of packageFolders(root)) {
    const index = join(folder, 'src', 'index.ts')
    if (!existsSync(index)) continue
    for (const name of exportedNames(readFileSync(index, 'utf8')))
      owners.set(name, [...(owners.get(name) ?? []), basename(folder)])
  }
  const double = [...owners].filter(([, packages]) => packages.length > 1)
  return [
    ...double
      .filter(([name]) => !known.includes(name))
      .map(([name, packages]) => `${packages.join(' and ')} export ${name}: one of them needs another name.`),
    ...known
      .filter(name => !double.some(([one]) => one === name))
      .map(name => `Only one package exports ${name}: take it off the list in tooling/checks/double-names.ts.`),
  ]
}

function exportedNames(index: string): string[] {
  return [...index.matchAll(/export\s+(?:type\s+)?\{([^}]*)\}/g)].flatMap(([, list = '']) =>
    list.split(',').flatMap(
      entry =>
        entry
          .trim()
          .replace(/^type\s+/, '')
          .split(/\s+as\s+/)
          .at(-1) || [],
    ),
  )
}

if (import.meta.main)
  report(doubleNames(process.cwd()), 'No name is exported by two packages, but for those that are known.')

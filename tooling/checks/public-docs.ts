// Fails on a public name without a doc comment: every name that a package's index.ts exports needs one at its declaration.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { packageFolders, report } from './workspace.ts'

/** A name that an index exports, and the file it comes from. */
interface PublicName {
  /** The name as the file declares it (before an `as`). */
  readonly name: string
  readonly file: string
}

const exportList = /export\s+(?:type\s+)?\{([^}]*)\}\s*from\s*['"]([^'"]+)['"]/g

/** Lists the public names below `root` that have no doc comment, and forms of export that hide names. */
export function undocumentedNames(root: string): string[] {
  return packageFolders(root).flatMap(folder => {
    const index = join(folder, 'src', 'index.ts')
    if (!existsSync(index)) return [`${relative(root, folder)} has no src/index.ts.`]
    const hidden = hiddenExports(readFileSync(index, 'utf8')).map(line => `${relative(root, index)}: ${line}`)
    const bare = publicNames(index).filter(({ name, file }) => !isDocumented(name, file))
    return [
      ...hidden,
      ...bare.map(({ name, file }) => `${relative(root, file)}: ${name} is public and has no doc comment.`),
    ]
  })
}

function publicNames(file: string): PublicName[] {
  const names: PublicName[] = []
  for (const [, list = '', source = ''] of readFileSync(file, 'utf8').matchAll(exportList)) {
    const target = join(dirname(file), source)
    if (!source.startsWith('.')) continue
    for (const entry of list.split(',')) {
      const name =
        entry
          .trim()
          .replace(/^type\s+/, '')
          .split(/\s+as\s+/)[0] ?? ''
      if (name !== '') names.push(resolve({ name, file: target }))
    }
  }
  return names
}

/** Follows a re-export to the file that declares the name. */
function resolve({ name, file }: PublicName): PublicName {
  for (const [, list = '', source = ''] of readFileSync(file, 'utf8').matchAll(exportList)) {
    const entry = list.split(',').find(one => one.trim().split(/\s+/).at(-1) === name)
    if (entry === undefined || !source.startsWith('.')) continue
    const inner =
      entry
        .trim()
        .replace(/^type\s+/, '')
        .split(/\s+as\s+/)[0] ?? name
    return resolve({ name: inner, file: join(dirname(file), source) })
  }
  return { name, file }
}

function isDocumented(name: string, file: string): boolean {
  const text = readFileSync(file, 'utf8')
  const kinds = '(?:abstract )?(?:async )?(?:function\\*?|const|let|class|interface|type)'
  const pattern = new RegExp(`^(export )?(?:declare )?${kinds} ${name.replace(/\$/g, '\\$')}\\b`, 'gm')
  const declarations = [...text.matchAll(pattern)]
  // A private value may share its name with a public type; without an `export` here, the file exports it by a list.
  const exported = declarations.filter(([, keyword]) => keyword !== undefined)
  return (exported.length > 0 ? exported : declarations).some(({ index }) => hasDocComment(text.slice(0, index)))
}

function hasDocComment(before: string): boolean {
  const text = before.trimEnd()
  if (!text.endsWith('*/')) return false
  const comment = text.slice(text.lastIndexOf('/*'))
  return comment.startsWith('/**') && /\w/.test(comment)
}

function hiddenExports(text: string): string[] {
  const lines = text.split('\n').map(line => line.trim())
  return lines
    .filter(line => /^export (\*|default|const|function|class|interface|type \w+ =)/.test(line))
    .map(line => `"${line.slice(0, 40)}": an index only lists names: export { name } from './file.ts'.`)
}

if (import.meta.main) report(undocumentedNames(process.cwd()), 'Every public name has a doc comment.')

// Fails on a comment that cites a document which is not there, or a heading that a document does not have.
import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { packageFolders, report, typescriptFiles } from './workspace.ts'

/** Files that programs of ours write, or that users have; a comment may name them. */
const written: ReadonlySet<string> = new Set(['report.md', 'README.md', 'summary.md', 'model-card.md'])

/** Lists the citations below `root` that lead nowhere, one sentence each. */
export function danglingCitations(root: string): string[] {
  const folders = packageFolders(root)
  return folders.flatMap(folder =>
    typescriptFiles(folder).flatMap(file =>
      citations(readFileSync(file, 'utf8'))
        .filter(({ document, heading }) => !leadsSomewhere([root, folder], document, heading))
        .map(({ document, heading }) => {
          const place = relative(root, file).replaceAll('\\', '/')
          return `${place} cites ${document}${heading === undefined ? '' : `#${heading}`}, which is not there.`
        }),
    ),
  )
}

interface Citation {
  readonly document: string
  readonly heading: string | undefined
}

/** Documents that the comments of a file name. */
function citations(text: string): Citation[] {
  const comments = [...text.matchAll(/\/\*[^]*?\*\/|(?<![:'"`\w])\/\/.*/g)].map(([comment]) => comment)
  return comments.flatMap(comment =>
    [...comment.matchAll(/(?<![\w*/.-])((?:[\w-]+\/)*[\w.-]+\.md)(?:#([\w-]+))?\b/g)].map(
      ([, document = '', heading]) => ({ document, heading }),
    ),
  )
}

function leadsSomewhere(folders: readonly string[], document: string, heading: string | undefined): boolean {
  if (written.has(document) && heading === undefined) return true
  const file = folders.map(folder => join(folder, document)).find(existsSync)
  return file !== undefined && (heading === undefined || anchors(readFileSync(file, 'utf8')).includes(heading))
}

/** Anchors of a Markdown text: those written as such, and those of its headings. */
function anchors(text: string): string[] {
  const own = [...text.matchAll(/(?:id|name)="([^"]+)"/g)].map(([, name = '']) => name)
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  )
  return [...own, ...headings]
}

if (import.meta.main) report(danglingCitations(process.cwd()), 'Comments cite documents that are there.')

// Fails on files, or folders, of a package that import each other in a circle: neither can be read, tested or moved alone.
// Type-only imports count.
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { packageFolders, report, typescriptFiles } from './workspace.ts'

type Graph = ReadonlyMap<string, ReadonlySet<string>>

/** How many files and folders of a package lie in circles: what was there before the check, and may only shrink. */
type KnownCircles = Readonly<Record<string, { readonly files: number; readonly folders: number }>>

const knownCircles: KnownCircles = {}

/** Lists what is wrong with the circles below `root`, one sentence each. */
export function circleProblems(root: string, known: KnownCircles = knownCircles): string[] {
  return packageFolders(root).flatMap(folder => {
    const source = join(folder, 'src')
    if (!existsSync(source)) return []
    const [name, files] = [basename(folder), fileGraph(source)]
    return [
      ...problems(name, 'files', circles(files), known[name]?.files ?? 0),
      ...problems(name, 'folders', circles(folderGraph(files)), known[name]?.folders ?? 0),
    ]
  })
}

function problems(name: string, kind: string, found: readonly string[][], known: number): string[] {
  const count = found.flat().length
  if (count > known) return found.map(circle => `packages/${name}: the ${kind} ${circle.join(', ')} import each other.`)
  if (count === known) return []
  return [`packages/${name}: ${count} ${kind} lie in circles; write that into tooling/checks/import-circles.ts.`]
}

const imports = /\b(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+\.ts)'/g

/** Who imports whom, by path below the source folder; tests do not count. */
function fileGraph(source: string): Graph {
  const files = typescriptFiles(source).filter(file => !/\.(test|testing|test-d|bench)\.ts$/.test(file))
  return new Map(
    files.map(file => {
      const targets = [...readFileSync(file, 'utf8').matchAll(imports)].map(([, to = '']) => join(dirname(file), to))
      return [slashed(relative(source, file)), new Set(targets.map(to => slashed(relative(source, to))))]
    }),
  )
}

/** The same between folders; a file that lies in none stands for itself. */
function folderGraph(files: Graph): Graph {
  const graph = new Map<string, Set<string>>()
  for (const [file, targets] of files) {
    const from = folderOf(file)
    const to = graph.get(from) ?? new Set()
    for (const target of targets) if (folderOf(target) !== from) to.add(folderOf(target))
    graph.set(from, to)
  }
  return graph
}

function folderOf(file: string): string {
  const folder = dirname(file)
  return folder === '.' ? file : folder
}

/** The strongly connected parts of more than one node (Tarjan), each sorted. */
function circles(graph: Graph): string[][] {
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const open: string[] = []
  const found: string[][] = []
  const visit = (node: string): number => {
    const own = order.size
    order.set(node, own)
    lowest.set(node, own)
    open.push(node)
    for (const next of graph.get(node) ?? []) {
      if (!graph.has(next)) continue
      const reached = order.has(next) ? (open.includes(next) ? order.get(next)! : Infinity) : visit(next)
      lowest.set(node, Math.min(lowest.get(node)!, reached))
    }
    if (lowest.get(node) === own) {
      const part = open.splice(open.indexOf(node))
      if (part.length > 1) found.push(part.toSorted())
    }
    return lowest.get(node)!
  }
  for (const node of graph.keys()) if (!order.has(node)) visit(node)
  return found.toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1))
}

function slashed(path: string): string {
  return path.replaceAll('\\', '/')
}

if (import.meta.main)
  report(circleProblems(process.cwd()), 'No more files or folders of a package import each other than did.')

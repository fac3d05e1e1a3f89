// Type-checks every ```ts block of the READMEs against the sources, and runs the first block of each package's README:
// the smallest program. A block that cannot run without files of one's own says so: ```ts no-run.
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { packageFolders, report } from './workspace.ts'

/** A block of a README. */
export interface ReadmeBlock {
  /** 1-based line of the README on which the code starts. */
  readonly line: number
  readonly code: string
  /** What stands behind `ts` on the fence. */
  readonly info: string
}

/** Cuts the TypeScript blocks out of a README. */
export function readmeBlocks(text: string): ReadmeBlock[] {
  const blocks: ReadmeBlock[] = []
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const fence = /^```(?:ts|typescript)\b(.*)$/.exec(lines[at] ?? '')
    if (fence === null) continue
    const end = lines.indexOf('```', at + 1)
    blocks.push({ line: at + 2, code: lines.slice(at + 1, end).join('\n'), info: fence[1]?.trim() ?? '' })
    at = end
  }
  return blocks
}

/** Lists what is wrong with the blocks of the READMEs below `root`: one line each, with the README's line. */
export function readmeProblems(root: string): string[] {
  const work = mkdtempSync(join(tmpdir(), 'readme-blocks-'))
  try {
    writeFileSync(join(work, 'package.json'), '{"type":"module"}')
    const written = [root, ...packageFolders(root)].flatMap(folder => writeBlocks(root, folder, work))
    if (written.length === 0) return []
    const typeProblems = typeCheck(root, work, written)
    if (typeProblems.length > 0) return typeProblems
    return written.filter(block => block.runs).flatMap(block => runBlock(block))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

interface WrittenBlock extends ReadmeBlock {
  /** Path of the README from the root. */
  readonly readme: string
  readonly file: string
  /** Whether the block is run after its types are checked. */
  readonly runs: boolean
}

function writeBlocks(root: string, folder: string, work: string): WrittenBlock[] {
  const readme = join(folder, 'README.md')
  if (!existsSync(readme)) return []
  const place = join(work, folder === root ? 'root' : basename(folder))
  linkModules(root, folder, join(place, 'node_modules'))
  return readmeBlocks(readFileSync(readme, 'utf8')).map((block, index) => {
    const file = join(place, `line-${block.line}.ts`)
    // Blank lines in front, so that the compiler's line is the README's.
    writeFileSync(file, `${'\n'.repeat(block.line - 1)}${block.code}\nexport {}\n`)
    const runs = index === 0 && folder !== root && block.info !== 'no-run'
    return { ...block, readme: relative(root, readme), file, runs }
  })
}

/** A block may import every package of the workspace, and what its own package depends on. */
function linkModules(root: string, folder: string, modules: string): void {
  mkdirSync(join(modules, '@qoq-med'), { recursive: true })
  for (const one of packageFolders(root)) symlinkSync(one, join(modules, '@qoq-med', basename(one)))
  const own = join(folder, 'node_modules')
  if (!existsSync(own)) return
  for (const name of readdirSync(own)) {
    if (!name.startsWith('.') && name !== '@qoq-med') symlinkSync(join(own, name), join(modules, name))
  }
}

function typeCheck(root: string, work: string, blocks: readonly WrittenBlock[]): string[] {
  const config = join(work, 'tsconfig.json')
  const compilerOptions = { typeRoots: [join(root, 'node_modules', '@types')] }
  const files = blocks.map(({ file }) => file)
  // Declarations of untyped libraries, which the sources that a block imports need too.
  const include = [join(root, 'packages/*/src/**/*.d.ts')]
  const settings = { extends: join(root, 'tooling/tsconfig/check.json'), compilerOptions, files, include }
  writeFileSync(config, JSON.stringify(settings))
  const output = run(join(root, 'node_modules/.bin/tsc'), ['-p', config, '--pretty', 'false'], work)
  if (output === undefined) return []
  const problems = output.split('\n').filter(line => line !== '')
  return problems.map(line => {
    const found = blocks.find(({ file }) => line.includes(`${relative(work, file)}(`))
    return found === undefined ? line : line.replace(/^\S*\((\d+),\d+\)/, `${found.readme}:$1`)
  })
}

function runBlock({ file, readme, line }: WrittenBlock): string[] {
  const output = run(process.execPath, ['--conditions=@qoq-med/source', file], dirname(file))
  return output === undefined ? [] : [`${readme}:${line}: the program fails: ${output.trim().slice(0, 2000)}`]
}

/** Runs a program; answers undefined where it succeeds and what it wrote where it does not. */
function run(program: string, args: readonly string[], cwd: string): string | undefined {
  try {
    execFileSync(program, args, { cwd, stdio: 'pipe', timeout: 120_000 })
    return undefined
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: Buffer | string; stderr?: Buffer | string } // of execFileSync
    return `${String(stdout)}${String(stderr)}` || String(error)
  }
}

if (import.meta.main) report(readmeProblems(process.cwd()), 'Every block of every README compiles; the first ones run.')

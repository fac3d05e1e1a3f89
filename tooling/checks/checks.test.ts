import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { forbiddenImports } from './boundaries.ts'
import { danglingCitations } from './cited-documents.ts'
import { doubleNames } from './double-names.ts'
import { errorCodeProblems, errorCodes } from './error-codes.ts'
import { packageProblems } from './package-contents.ts'
import { circleProblems } from './import-circles.ts'
import { foreignKeys } from './own-keys.ts'
import { undocumentedNames } from './public-docs.ts'
import { readmeBlocks, readmeProblems } from './readme-blocks.ts'

const repository = path.resolve(import.meta.dirname, '../..')
let root = ''

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'checks-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

/** Writes files of a small workspace; folders come by themselves. */
function workspace(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(root, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
}

const fenced = (code: string, info = ''): string => `# p\n\n\`\`\`ts${info}\n${code}\n\`\`\`\n`

/** A workspace of one package whose index is `export const answer = 42`, with the real compiler and settings. */
function packageWithReadme(readme: string): void {
  workspace({
    'packages/p/README.md': readme,
    'packages/p/src/index.ts': 'export const answer = 42',
    'packages/p/package.json': JSON.stringify({
      name: '@qoq-med/p',
      type: 'module',
      exports: { '.': { '@qoq-med/source': './src/index.ts' } },
    }),
  })
  for (const name of ['node_modules', 'tooling']) symlinkSync(path.join(repository, name), path.join(root, name))
}

describe('boundaries', () => {
  test('accept an arrow that is allowed, and the own name', () => {
    workspace({ 'packages/model/src/a.ts': `import { x } from '@qoq-med/tensor'\nimport { y } from '@qoq-med/model'` })
    expect(forbiddenImports(root)).toEqual([])
  })

  test.for([
    {
      name: 'an upward import',
      line: `import { x } from '@qoq-med/trainer'`,
      want: 'imports @qoq-med/trainer, which model may not',
    },
    {
      name: 'a type-only upward import',
      line: `import type { X } from '@qoq-med/eval'`,
      want: 'imports @qoq-med/eval',
    },
    { name: 'a lazy upward import', line: `await import('@qoq-med/cli')`, want: 'imports @qoq-med/cli' },
    {
      name: 'a deep import',
      line: `import { x } from '@qoq-med/tensor/src/graph.ts'`,
      want: 'tensor/src/graph.ts, which is not public',
    },
  ])('refuse $name', ({ line, want }) => {
    workspace({ 'packages/model/src/deep/a.ts': line })
    expect(forbiddenImports(root)).toEqual([expect.stringContaining(want)])
  })

  test('refuse a package without a row', () => {
    workspace({ 'packages/helpers/src/a.ts': '' })
    expect(forbiddenImports(root)).toEqual(['packages/helpers has no row in tooling/checks/boundaries.ts.'])
  })
})

describe('cited-documents', () => {
  const map = '# Map\n\n## DRPO & co\n'
  test.for([
    { name: 'a document below the root', comment: '/** See docs/map.md. */' },
    { name: 'one of its headings', comment: '// docs/map.md#drpo--co' },
    { name: 'a document of the package', comment: '/* (bench/RESULTS.md) */' },
    { name: 'a text that is no comment', comment: `const name = 'gone.md' // why` },
    { name: 'what a run writes', comment: '/** Writes report.md. */' },
    { name: 'an address', comment: `const url = 'https://example.org/gone.md'` },
  ])('accept $name', ({ comment }) => {
    workspace({ 'docs/map.md': map, 'packages/p/bench/RESULTS.md': '', 'packages/p/src/a.ts': comment })
    expect(danglingCitations(root)).toEqual([])
  })

  test.for([
    { name: 'a document that is not there', comment: '/** As in gone.md. */', cites: 'gone.md' },
    { name: 'one in a comment at the end of a line', comment: 'const a = 1 // docs/gone.md', cites: 'docs/gone.md' },
    { name: 'a heading that it does not have', comment: '// docs/map.md#grpo', cites: 'docs/map.md#grpo' },
  ])('refuse $name', ({ comment, cites }) => {
    workspace({ 'docs/map.md': map, 'packages/p/src/a.ts': comment })
    expect(danglingCitations(root)).toEqual([`packages/p/src/a.ts cites ${cites}, which is not there.`])
  })
})

describe('double-names', () => {
  const indexes = {
    'packages/p/src/index.ts': `export { a, type B } from './a.ts'\nexport type { C } from './c.ts'\n`,
    'packages/q/src/index.ts': `export {\n  d,\n  type B,\n} from './d.ts'\nexport { c as C, a as own } from './c.ts'\n`,
  }

  test('refuse a name that two packages export, also as a type or under an alias', () => {
    workspace(indexes)
    expect(doubleNames(root, [])).toEqual([
      'p and q export B: one of them needs another name.',
      'p and q export C: one of them needs another name.',
    ])
  })

  test('accept what is known, until it is gone', () => {
    workspace(indexes)
    expect(doubleNames(root, ['B', 'C'])).toEqual([])
    expect(doubleNames(root, ['B', 'C', 'd'])).toEqual([expect.stringContaining('Only one package exports d')])
  })
})

describe('import-circles', () => {
  const files = {
    'packages/p/src/a.ts': `import { b } from './b.ts'`,
    'packages/p/src/b.ts': `import type { C } from './deep/c.ts'`,
    'packages/p/src/deep/c.ts': `export { d } from './d.ts'`,
    'packages/p/src/deep/d.ts': '',
  }

  test('accept imports that go one way, and tests that import anything', () => {
    workspace({ ...files, 'packages/p/src/deep/d.test.ts': `import '../a.ts'` })
    expect(circleProblems(root)).toEqual([])
  })

  test.for([
    { name: 'a value', line: `import { a } from '../a.ts'` },
    { name: 'a type', line: `import type { A } from '../a.ts'` },
    { name: 'a lazy import', line: `await import('../a.ts')` },
    { name: 'a re-export', line: `export { a } from '../a.ts'` },
  ])('refuse a circle that $name closes', ({ line }) => {
    workspace({ ...files, 'packages/p/src/deep/d.ts': line })
    expect(circleProblems(root)).toEqual([
      'packages/p: the files a.ts, b.ts, deep/c.ts, deep/d.ts import each other.',
      'packages/p: the folders a.ts, b.ts, deep import each other.',
    ])
  })

  test('refuse folders that need each other although no file does', () => {
    workspace({
      'packages/p/src/one/a.ts': `import '../two/b.ts'`,
      'packages/p/src/one/c.ts': '',
      'packages/p/src/two/b.ts': '',
      'packages/p/src/two/d.ts': `import '../one/c.ts'`,
    })
    expect(circleProblems(root)).toEqual(['packages/p: the folders one, two import each other.'])
  })

  test('accept what is known, and want it lowered where it shrank', () => {
    workspace({ ...files, 'packages/p/src/deep/d.ts': `import { c } from './c.ts'` })
    expect(circleProblems(root, { p: { files: 2, folders: 0 } })).toEqual([])
    expect(circleProblems(root, { p: { files: 4, folders: 0 } })).toEqual([
      'packages/p: 2 files lie in circles; write that into tooling/checks/import-circles.ts.',
    ])
  })
})

describe('public-docs', () => {
  const index = `export { documented, type Shape, type Bare as Naked } from './a.ts'\nexport { bare, LIMIT } from './a.ts'\n`
  const source = `/** Says what it does. */\nexport function documented() {}\n\n/** A shape. */\nexport interface Shape {}\n
/* not a doc comment */\nexport type Bare = 1\nexport async function bare() {}\n\n/** */\nexport const LIMIT = 3\n`

  test('find public names without a doc comment', () => {
    workspace({ 'packages/p/src/index.ts': index, 'packages/p/src/a.ts': source })
    const want = ['Bare', 'bare', 'LIMIT'].map(name => `packages/p/src/a.ts: ${name} is public and has no doc comment.`)
    expect(undocumentedNames(root)).toEqual(want)
  })

  test('take the exported one of two declarations of a name', () => {
    const both = 'const Stage = 1\n\n/** A stage. */\nexport type Stage = typeof Stage\n'
    workspace({ 'packages/p/src/index.ts': `export type { Stage } from './a.ts'`, 'packages/p/src/a.ts': both })
    expect(undocumentedNames(root)).toEqual([])
  })

  test('follow a name through files that pass it on', () => {
    const files = {
      'index.ts': `export { x } from './b.ts'`,
      'b.ts': `export { y as x } from './c.ts'`,
      'c.ts': 'export const y = 1',
    }
    workspace(Object.fromEntries(Object.entries(files).map(([name, text]) => [`packages/p/src/${name}`, text])))
    expect(undocumentedNames(root)).toEqual(['packages/p/src/c.ts: y is public and has no doc comment.'])
  })

  test.for([`export * from './a.ts'`, 'export default 1', 'export const x = 1'])('refuse "%s" in an index', line => {
    workspace({ 'packages/p/src/index.ts': line, 'packages/p/src/a.ts': '' })
    expect(undocumentedNames(root)).toEqual([expect.stringContaining('an index only lists names')])
  })
})

describe('error-codes', () => {
  const table = `export const zooErrors = defineErrors('ZOO', {\n  CAGE_EMPTY: {\n    message: () => '',\n  },\n  LION_LOOSE: {\n  },\n})\n`

  test('read the codes of a table, also of one that is named first', () => {
    expect(errorCodes(table)).toEqual(['ZOO_CAGE_EMPTY', 'ZOO_LION_LOOSE'])
    const named = `const rows = {\n  CAGE_EMPTY: {\n  },\n}\nexport const zooErrors = defineErrors('ZOO', rows)\n`
    expect(errorCodes(named)).toEqual(['ZOO_CAGE_EMPTY'])
  })

  test('want every code in docs/errors.md and in a test', () => {
    workspace({
      'docs/errors.md': '| `ZOO_CAGE_EMPTY` | … |\n| `ZOO_GONE` | … |',
      'packages/zoo/src/errors.ts': table,
      'packages/zoo/src/zoo.test.ts': `expect(code).toBe('ZOO_LION_LOOSE')`,
    })
    expect(errorCodeProblems(root)).toEqual([
      'packages/zoo/src/errors.ts: no test mentions ZOO_CAGE_EMPTY.',
      'packages/zoo/src/errors.ts: ZOO_LION_LOOSE is not in docs/errors.md.',
      'docs/errors.md: ZOO_GONE is in no table of errors.',
    ])
  })
})

describe('readme-blocks', () => {
  test('are cut out with their line and info', () => {
    const text = `${fenced('const a = 1')}\n\`\`\`sh\nls\n\`\`\`\n${fenced('const b = 2', ' no-run')}`
    expect(readmeBlocks(text)).toEqual([
      { line: 4, code: 'const a = 1', info: '' },
      { line: 13, code: 'const b = 2', info: 'no-run' },
    ])
  })

  test('pass where they compile and the first one runs', () => {
    packageWithReadme(fenced(`import { answer } from '@qoq-med/p'\nif (answer !== 42) throw new Error('wrong')`))
    expect(readmeProblems(root)).toEqual([])
  })

  test('fail where they do not compile, with the line of the README', () => {
    packageWithReadme(fenced(`import { answer } from '@qoq-med/p'\nconst text: string = answer\nconsole.log(text)`))
    expect(readmeProblems(root)).toEqual([expect.stringMatching(/^packages\/p\/README\.md:5: error TS2322: .*number/)])
  })

  test('fail where the first one throws, unless it says no-run', () => {
    const code = `import { answer } from '@qoq-med/p'\nthrow new Error(\`broken \${answer}\`)`
    packageWithReadme(fenced(code))
    expect(readmeProblems(root)).toEqual([expect.stringContaining('packages/p/README.md:4: the program fails')])
    writeFileSync(path.join(root, 'packages/p/README.md'), fenced(code, ' no-run'))
    expect(readmeProblems(root)).toEqual([])
  })
})

describe('foreignKeys', () => {
  const table = 'const kinds: Readonly<Record<string, number>> = {\n  a: 1,\n}\n'

  test('finds a table that is looked up by any text', () => {
    workspace({ 'packages/p/src/a.ts': `${table}export const kindOf = (name: string) => kinds[name]\n` })
    expect(foreignKeys(root)).toEqual([expect.stringContaining('packages/p/src/a.ts looks kinds up')])
  })

  test('accepts a table that is asked for its own keys, or looked up by words in quotes', () => {
    workspace({
      'packages/p/src/a.ts': `${table}export const kindOf = (name: string) => (Object.hasOwn(kinds, name) ? kinds[name] : 0)\n`,
      'packages/p/src/b.ts': `${table}export const kind = kinds['a']\n`,
    })
    expect(foreignKeys(root)).toEqual([])
  })

  test('finds none in the repository', () => {
    expect(foreignKeys(repository)).toEqual([])
  })
})

describe('package contents', () => {
  const base = { name: '@qoq-med/p', files: ['dist', '!dist/x'] }

  test('accept links to what is packed, and to other sites', () => {
    workspace({
      'packages/p/README.md': '[a](dist/a.js#b) [c](https://qwen.ai) [d](#limits) [e](LICENSE)',
      'packages/p/dist/a.js': '',
      'packages/p/LICENSE': '',
      'packages/p/package.json': JSON.stringify({
        ...base,
        repository: { url: 'git+https://github.com/qwenlm/qwen.git' },
      }),
    })
    expect(packageProblems(path.join(root, 'packages/p'))).toEqual([])
  })

  test.for([
    { name: 'above the package', readme: '[a](../../docs/a.md)', fields: {}, want: 'links to ../../docs/a.md' },
    { name: 'out by a detour', readme: '[a](dist/../bench/a.md)', fields: {}, want: 'links to dist/../bench/a.md' },
    { name: 'to what is not packed', readme: '[a](bench/RESULTS.md)', fields: {}, want: 'links to bench/RESULTS.md' },
    { name: 'to what is not there', readme: '[a](dist/none.js)', fields: {}, want: 'links to dist/none.js' },
    {
      name: 'at a placeholder',
      readme: '',
      fields: { repository: { url: 'git+https://example.invalid/p.git' } },
      want: 'names git+https://example.invalid/p.git',
    },
  ])('are refused with a link $name', ({ readme, fields, want }) => {
    workspace({ 'packages/p/README.md': readme, 'packages/p/bench/RESULTS.md': '', 'packages/p/bench/a.md': '' })
    workspace({ 'packages/p/package.json': JSON.stringify({ ...base, ...fields }) })
    expect(packageProblems(path.join(root, 'packages/p'))).toEqual([expect.stringContaining(want)])
  })
})

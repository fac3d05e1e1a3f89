import { spawnSync } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { BenchRow } from '../bench/base/bench-row.ts'
import { measureRow } from '../bench/measure-row.ts'
import { startMeasurement } from '../bench/measurement-process.ts'
import { MeasurementLine } from '../bench/measurement-protocol.ts'
import { errorOf, runInProcess } from '../run-in-process.testing.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-bench-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** A line of a script that prints a value. */
function say(value: object | string): string {
  return `console.log(${JSON.stringify(typeof value === 'string' ? value : JSON.stringify(value))})`
}

/** An interpreter that says what is given instead of running the script. */
async function fakePython(name: string, answers: { readonly first: object | string; readonly round?: object }) {
  const file = path.join(folder, name)
  await writeFile(
    file,
    `#!/usr/bin/env node
if (process.argv[2] === '--version') console.log('Python 3.99.0')
else {
  ${say(answers.first)}
  process.stdin.on('data', () => ${answers.round ? say(answers.round) : 'process.exit(3)'})
}
`,
  )
  await chmod(file, 0o755)
  return file
}

const ready = { type: 'ready', versions: { torch: '9.9.9' } }
const round = { type: 'round', seconds: 1000, peakRssBytes: 1e12 }

const row: BenchRow = {
  name: 'drpo/small',
  work: 'DRPO, small',
  measure: 'drpo',
  options: { questions: 16, groupSize: 4 },
  peer: { name: 'PyTorch', runtime: 'python', script: 'training_step.py' },
  figure: 'time',
  unit: 'ms',
  target: { type: 'ratio', value: 0.5 },
  memoryTarget: 1.2,
  rounds: 2,
}
const measure = (python?: string, changes: Partial<BenchRow> = {}) =>
  measureRow({ ...row, ...changes }, { python, threads: 1, device: 'cpu' }, { signal: new AbortController().signal })

describe('a row', () => {
  test('has no ratio without its peer, and says why', async () => {
    const result = await measure()
    expect(result.ours?.rounds).toHaveLength(2)
    expect(result.ours?.versions).toHaveProperty('node', process.versions.node)
    expect(result.ours?.peakRssBytes).toBeGreaterThan(2 ** 20)
    expect(result.missing).toBe('give --python to measure PyTorch beside it')
    expect(result).not.toHaveProperty('ratio')
  })

  test('has a ratio beside a peer', async () => {
    const result = await measure(await fakePython('slow', { first: ready, round }))
    expect(result.peer).toMatchObject({ name: 'PyTorch', best: 1e6, versions: { torch: '9.9.9' } })
    expect(result.peer?.rounds).toHaveLength(2)
    expect(result).toMatchObject({ ratio: { met: true }, memory: { met: true } })
    expect(result).not.toHaveProperty('missing')
  })

  test.for([
    {
      name: 'lacks a package',
      first: { type: 'unavailable', reason: "No module named 'trl'" },
      says: "PyTorch is not there: No module named 'trl'",
    },
    { name: 'talks nonsense', first: 'hello', says: 'it says "hello"' },
  ])('is measured alone where its peer $name', async ({ name, first, says }) => {
    const result = await measure(await fakePython(name.replaceAll(' ', '-'), { first }))
    expect(result.missing).toContain(says)
    expect(result.ours?.rounds).toHaveLength(2)
  })

  test('says so when a peer dies in a round', async () => {
    const { missing } = await measure(await fakePython('dying', { first: ready }))
    expect(missing).toMatch(/^Measuring PyTorch for drpo\/small failed: it ended with the exit code 3/)
  })

  test('says so when ours cannot be prepared', async () => {
    const { missing } = await measure(undefined, { options: { questions: 'many' } })
    expect(missing).toMatch(/^Measuring drpo\/small failed: it ended with the exit code 1/)
  })

  test('that needs a file is left out without it', async () => {
    expect((await measure(undefined, { needs: 'gguf' })).missing).toBe('give --gguf to measure it')
  })
})

test('a measuring process that says too little is an error', async () => {
  const program = await fakePython('early', { first: round })
  const options = { what: 'the peer', signal: new AbortController().signal }
  expect(await startMeasurement({ program, args: ['script'] }, options)).toBe('it did not say that it is ready')
  await expect(startMeasurement({ program, args: ['--version'] }, options)).rejects.toMatchObject({
    code: 'CLI_BENCH_MEASUREMENT_FAILED',
    message: 'Measuring the peer failed: it says "Python 3.99.0".',
  })
})

describe('qoq bench', () => {
  test('measures the rows that are named', async () => {
    const { exitCode, stdout } = await runInProcess(['bench', 'drpo/8192', '--quick', '--json'])
    expect(exitCode).toBe(0)
    const found: unknown = JSON.parse(stdout)
    expect(found).toMatchObject({
      limits: { 'drpo/8192': { target: 200, unit: 'ms' } },
      rows: [{ name: 'drpo/8192', ours: { rounds: [{ seconds: expect.any(Number) }] } }],
    })
  })

  test('lists its rows', async () => {
    const { stdout } = await runInProcess(['bench', 'eval', '--list'])
    expect(stdout).toMatch(/^eval\/metrics .*\neval\/intervals /)
  })

  test.for([
    { path: 'no-such-python', says: 'ENOENT' },
    { path: process.execPath, says: `"--version" says "v` },
  ])('refuses $path as Python', async ({ path: python, says }) => {
    const failed = await runInProcess(['bench', 'drpo', '--python', python, '--json'])
    expect(failed.exitCode).toBe(2)
    expect(errorOf(failed)).toMatchObject({
      code: 'CLI_BENCH_PYTHON_INVALID',
      message: expect.stringContaining(says),
    })
  })

  test('suggests the nearest name', async () => {
    const failed = await runInProcess(['bench', 'rewrds', '--json'])
    expect(failed.exitCode).toBe(2)
    expect(errorOf(failed)).toMatchObject({ code: 'CLI_VALUE_INVALID', hint: 'Did you mean rewards?' })
  })
})

const hasPython = spawnSync('python3', ['--version']).status === 0

describe('peer.py', () => {
  const peers = fileURLToPath(new URL('../../peers', import.meta.url))
  const run = (script: string) => {
    const { stdout } = spawnSync('python3', ['-c', script, '{"n": 3}'], {
      cwd: peers,
      input: 'round\nround\n',
      encoding: 'utf8',
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    })
    return stdout
      .trim()
      .split('\n')
      .map(line => MeasurementLine.parse(JSON.parse(line)))
  }

  test.skipIf(!hasPython)(`speaks the protocol${hasPython ? '' : ' (skipped: there is no python3)'}`, () => {
    const lines = run(
      "from peer import serve\ndef work():\n  print('chatter')\n  return {'units': 6}\nserve(lambda options: work)",
    )
    expect(lines).toMatchObject([
      { type: 'ready', versions: { python: expect.stringMatching(/^3/) } },
      { type: 'round', units: 6, peakRssBytes: expect.any(Number) },
      { type: 'round', units: 6 },
    ])
  })

  test.skipIf(!hasPython)(
    `names a package that is missing${hasPython ? '' : ' (skipped: there is no python3)'}`,
    () => {
      const lines = run('from peer import serve\ndef prepare(options):\n  import no_such_package\nserve(prepare)')
      expect(lines).toEqual([{ type: 'unavailable', reason: "No module named 'no_such_package'" }])
    },
  )
})

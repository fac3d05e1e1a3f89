import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clearDemoFolders, demoFolders } from '../demo/demo-folders.ts'
import { errorOf, runInProcess } from '../run-in-process.testing.ts'

let cwd = ''
const demoNames: ReadonlySet<string> = new Set(Object.values(demoFolders))
const run = (...argv: string[]) => runInProcess(argv, { cwd })

beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'qoq-demo-'))
})
afterAll(() => rm(cwd, { recursive: true, force: true }))

describe('qoq demo', () => {
  test('simulates, trains and judges before and after, and says by how much they differ', async () => {
    await writeFile(path.join(cwd, 'mine.txt'), 'keep')
    const { exitCode, stdout, stderr } = await run('demo', '--minutes', '0.2', '--out', '.', '--json')
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
    const answer = JSON.parse(stdout)
    expect(stderr).toMatch(/Asked: .*12-lead ECG[^]*qoq-nano: <think>[^]*True: /)
    expect(answer).toMatchObject({ data: 'simulated', start: 'shipped', samples: 36, leftOut: 0 })
    for (const { mean, lower, upper, pValue } of [
      answer.differences.overall.f1,
      answer.differences.overall.exactMatch,
    ]) {
      expect(lower).toBeLessThanOrEqual(mean)
      expect(upper).toBeGreaterThanOrEqual(mean)
      expect(pValue).toBeLessThanOrEqual(1)
    }
    const report = await readFile(answer.report, 'utf8')
    expect(report).toContain('Before and after DRPO')
    expect(report).toContain('<td>DRPO</td>')
    expect(report).toContain('judged on patients that did not train')
    expect(report).toContain('worse by .023 macro-F1')
    expect(existsSync(path.join(answer.model, 'model.safetensors'))).toBe(true)
    expect(await readFile(path.join(cwd, 'mine.txt'), 'utf8')).toBe('keep')
    await clearDemoFolders(cwd)
    expect((await readdir(cwd)).filter(name => demoNames.has(name))).toEqual([])
    expect(await readFile(path.join(cwd, 'mine.txt'), 'utf8')).toBe('keep')
  }, 120_000)

  test('from nothing it trains a warm start of its own', async () => {
    const { exitCode, stdout, stderr } = await run(
      'demo',
      '--from-nothing',
      '--minutes',
      '0.2',
      '--out',
      'nothing',
      '--json',
    )
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
    const { start, warmStart } = JSON.parse(stdout)
    expect(start).toBe('nothing')
    expect(Object.keys(warmStart.domains)).toEqual(['ecg', 'chest_xray', 'mri'])
  }, 120_000)

  test.for(['run', 'run-measured', 'eval-warm-start', 'eval-drpo', 'clinic', 'clinic-judges'])(
    'leaves a folder %s that it did not make as it is, and removes none of the others',
    async name => {
      const out = path.join(cwd, `own-${name}`)
      const earlier = path.join(out, name === 'run' ? 'eval-drpo' : 'run')
      await mkdir(path.join(out, name), { recursive: true })
      await mkdir(earlier)
      await writeFile(path.join(out, name, 'mine.txt'), 'keep')
      await writeFile(path.join(earlier, '.qoq-demo'), '')
      const result = await run('demo', '--minutes', '0.2', '--out', out, '--json')
      expect(result.exitCode).toBe(2)
      expect(errorOf(result)).toMatchObject({ code: 'CLI_DEMO_FOLDER_TAKEN' })
      expect(errorOf(result).message).toContain(path.join(out, name))
      expect(await readFile(path.join(out, name, 'mine.txt'), 'utf8')).toBe('keep')
      expect(await readdir(earlier)).toEqual(['.qoq-demo'])
    },
  )

  test('says which folder of real files is missing', async () => {
    const result = await run('demo', '--data', 'nowhere', '--out', 'real', '--json')
    expect(result.exitCode).not.toBe(0)
    expect(errorOf(result).message).toContain('nowhere')
  })
})

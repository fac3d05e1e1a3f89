import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errorOf, runInProcess } from '../run-in-process.testing.ts'

let cwd = ''
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
    expect(answer).toMatchObject({ data: 'simulated', samples: 24, leftOut: 0 })
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
    expect(report).toContain('<td>DRPO by domain</td>')
    expect(report).toContain('judged on patients that did not train')
    expect(existsSync(path.join(answer.model, 'model.safetensors'))).toBe(true)
    expect(await readFile(path.join(cwd, 'mine.txt'), 'utf8')).toBe('keep')
  }, 120_000)

  test('says which folder of real files is missing', async () => {
    const result = await run('demo', '--data', 'nowhere', '--out', 'real', '--json')
    expect(result.exitCode).not.toBe(0)
    expect(errorOf(result).message).toContain('nowhere')
  })
})

import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { synthesise } from '@qoq-med/data-climb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeTinyModel } from '../src/tiny-model.testing.ts'

const binary = path.resolve(import.meta.dirname, '../src/bin.ts')
let cwd = ''
beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'qoq-binary-'))
})
afterAll(() => rm(cwd, { recursive: true, force: true }))

function start(argv: readonly string[]) {
  return spawn(process.execPath, ['--conditions=@qoq-med/source', binary, ...argv], { cwd, stdio: 'pipe' })
}

async function run(
  argv: readonly string[],
  stdin = '',
): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  const child = start(argv)
  child.stdin.end(stdin)
  const exited = new Promise<number | null>(resolve => child.on('close', resolve))
  const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), exited])
  return { exitCode, stdout, stderr }
}

const batch = { rewards: [1, 0, 0, 1], questionIds: [1, 1, 2, 2], domains: ['ecg', 'ecg', 'mri', 'mri'] }

describe('the qoq binary', () => {
  test('answers exactly one JSON document on stdout, and nothing on stderr', async () => {
    const { exitCode, stdout, stderr } = await run(
      ['advantages', '--estimator', 'drpo', '--json'],
      JSON.stringify(batch),
    )
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout.endsWith('\n')).toBe(true)
    expect(JSON.parse(stdout).advantages).toHaveLength(4)
  })

  test('fails on bad input with exit code 2, the error on stdout for machines and on stderr for people', async () => {
    const argv = ['advantages', '--estimator', 'drpo']
    const forMachines = await run([...argv, '--json'], '{"rewards":')
    expect(forMachines).toMatchObject({ exitCode: 2, stderr: '' })
    expect(JSON.parse(forMachines.stdout)).toHaveProperty('error.code', 'CLI_INPUT_NOT_JSON')
    const forPeople = await run(argv, '{"rewards":')
    expect(forPeople).toMatchObject({ exitCode: 2, stdout: '' })
    expect(forPeople.stderr).toMatch(/^Standard input is not JSON: it ends too early\.\n.+\n$/)
  })

  test('ends quietly when its reader goes away', async () => {
    const child = start(['data', 'list', '--json'])
    child.stdout.destroy()
    child.stdin.end()
    const exited = new Promise<number | null>(resolve => child.on('close', resolve))
    expect(await text(child.stderr)).toBe('')
    expect(await exited).toBe(0)
  })

  test('says by itself what a device lacks, and nothing of the runtime reaches a pipe; gpu means cuda', async () => {
    await writeTinyModel(path.join(cwd, 'tiny'))
    const asked = ['ask', '--model', 'tiny', '--device', 'gpu', '--max-new-tokens', '1', 'What?']
    const { exitCode, stdout, stderr } = await run(asked)
    expect(stdout + stderr).not.toContain('\u001B')
    expect(stdout + stderr).not.toMatch(/onnxruntime::|\[E:/)
    // A machine with CUDA answers.
    expect(exitCode === 0 ? 'device "cuda"' : stderr).toContain('device "cuda"')
    const mistyped = await run(asked.map(word => (word === 'gpu' ? 'cudda' : word)))
    expect(mistyped.exitCode).toBe(2)
    expect(mistyped.stderr).toContain('Did you mean cuda?')
  })

  test('stops serving at Ctrl-C as it should', async () => {
    await writeTinyModel(path.join(cwd, 'tiny'))
    const child = start(['serve', '--model', 'tiny', '--port', '0'])
    child.stdin.end()
    const exited = new Promise<number | null>(resolve => child.on('close', resolve))
    const stderr = text(child.stderr)
    for await (const part of child.stdout) if (String(part).includes('Serving')) child.kill('SIGINT')
    expect(await exited).toBe(0)
    expect(await stderr).toContain('Stopped')
  })

  test('stops at Ctrl-C, keeps the answers so far, and says so', async () => {
    await writeTinyModel(path.join(cwd, 'tiny'))
    await synthesise({ dir: path.join(cwd, 'clinic'), seed: 3, size: 120, domains: ['mri'] })
    const argv = [
      'eval',
      '--model',
      'tiny',
      '--data',
      'mini_clinic_mri=clinic',
      '--split',
      'train',
      '--batch-size',
      '1',
      '--json',
    ]
    const child = start([...argv, '--out', 'runs'])
    child.stdin.end()
    const stdout = text(child.stdout)
    const exited = new Promise<number | null>(resolve => child.on('close', resolve))
    const log = path.join(cwd, 'runs/samples.jsonl')
    const answers = async (): Promise<number> => (await readFile(log, 'utf8').catch(() => '')).split('\n').length - 1
    await expect.poll(answers, { timeout: 60_000, interval: 20 }).toBeGreaterThan(0)
    child.kill('SIGINT')
    expect(await exited).toBe(130)
    const { error } = JSON.parse(await stdout)
    expect(error.code).toBe('EVAL_ABORTED')
    expect(error.message).toContain(`after ${await answers()} of`)
    expect(await readFile(path.join(cwd, 'runs/results.json'), 'utf8').catch(() => 'absent')).toBe('absent')
  })
})

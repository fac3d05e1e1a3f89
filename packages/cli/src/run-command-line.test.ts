import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { dataErrors } from '@qoq-med/data-climb'
import { evalErrors } from '@qoq-med/eval'
import { modelErrors } from '@qoq-med/model'
import { serverErrors } from '@qoq-med/server'
import { tensorErrors } from '@qoq-med/tensor'
import { trainerErrors } from '@qoq-med/trainer'
import { describe, expect, test } from 'vitest'
import type { TextSource } from './command-line-io.ts'
import { commandTree } from './command-tree.ts'
import { cliErrors } from './errors.ts'
import { exitCodeOf, stops, workFailures } from './exit-code.ts'
import { runCommandLine } from './run-command-line.ts'
import { errorOf, runInProcess } from './run-in-process.testing.ts'

const allPaths = commandTree.flatMap(node => [
  ...(node.kind === 'command' ? [[node.meta.name]] : []),
  ...node.commands.map(command => [node.meta.name, command.meta.name]),
])

describe('help', () => {
  test.for(allPaths.map(path => ({ path, name: path.join(' ') })))('of $name has an example', async ({ path }) => {
    const { exitCode, stdout, stderr } = await runInProcess([...path, '--help'])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toContain(`Usage: qoq ${path.join(' ')}`)
    expect(stdout).toMatch(new RegExp(`Example:\\n  \\$ .*qoq ${path.join(' ')}`))
    expect(stdout).toContain('--json')
  })

  test('of qoq names every command and the purpose', async () => {
    const { stdout } = await runInProcess(['--help'])
    for (const node of commandTree) expect(stdout).toContain(`  ${node.meta.name} `)
    expect(stdout).toContain('not a medical device')
  })

  test('has the version', async () => {
    expect(await runInProcess(['--version'])).toEqual({ exitCode: 0, stdout: '0.1.0\n', stderr: '' })
  })
})

describe('wrong usage', () => {
  test.for([
    { argv: [], error: 'CLI_COMMAND_MISSING', says: '"qoq" needs a command.', hint: 'Add one of ' },
    { argv: ['advantags'], error: 'CLI_UNKNOWN_COMMAND', says: '"qoq advantags"', hint: 'Did you mean advantages?' },
    { argv: ['zzz'], error: 'CLI_UNKNOWN_COMMAND', says: '"qoq zzz"', hint: 'Run "qoq --help"' },
    {
      argv: ['advantages', '--estimater', 'x'],
      error: 'CLI_UNKNOWN_OPTION',
      says: '"qoq advantages" has no option --estimater.',
      hint: 'Did you mean --estimator?',
    },
    { argv: ['advantages'], error: 'CLI_ARGUMENT_MISSING', says: 'needs --estimator NAME', hint: '--help' },
    { argv: ['advantages', '--estimator'], error: 'CLI_ARGUMENT_MISSING', says: 'needs --estimator', hint: '--help' },
    { argv: ['advantages', 'x', 'y'], error: 'CLI_ARGUMENT_EXTRA', says: 'too much', hint: 'Quote an argument' },
    {
      argv: ['metrics', '--labels', 'l.json', '--balanced-accuracy', 'recal'],
      error: 'CLI_VALUE_INVALID',
      says: '--balanced-accuracy is "recal", but must be one of paper, recall.',
      hint: 'Did you mean recall?',
    },
  ])('of $argv is $error', async ({ argv, error, says, hint }) => {
    const forMachines = await runInProcess([...argv, '--json'])
    expect(forMachines).toMatchObject({ exitCode: 2, stderr: '' })
    expect(errorOf(forMachines)).toMatchObject({ code: error })
    expect(errorOf(forMachines).message).toContain(says)
    expect(errorOf(forMachines).hint).toContain(hint)
    const forPeople = await runInProcess(argv)
    expect(forPeople).toMatchObject({ exitCode: 2, stdout: '' })
    expect(forPeople.stderr).toContain(says)
    expect(forPeople.stderr.trim().split('\n')).toHaveLength(2)
  })

  test('shows the stack only with --verbose', async () => {
    const argv = ['advantages', '--estimator', 'drp']
    expect((await runInProcess(argv)).stderr).not.toContain('at ')
    const { stdout, stderr } = await runInProcess([...argv, '--json', '--verbose'])
    expect(stderr).toContain('.ts:')
    expect(JSON.parse(stdout)).toHaveProperty('error.code', 'DRPO_UNKNOWN_ESTIMATOR')
  })

  test('treats words after -- as arguments', async () => {
    const { stdout, stderr } = await runInProcess(['advantages', '--', '--json'])
    expect(stdout).toBe('')
    expect(stderr).toContain('too much')
  })
})

async function* fullPipe(): AsyncGenerator<string> {
  yield '{'
  const cause = Object.assign(new Error('ENOSPC: no space left on device'), {
    code: 'ENOSPC',
    path: '/data/run/x.json',
  })
  throw new Error('it could not be kept', { cause })
}

async function* brokenPipe(): AsyncGenerator<string> {
  yield '{'
  throw new Error('the pipe broke')
}

describe('standard input', () => {
  const argv = ['advantages', '--estimator', 'drpo', '--json']
  const outcome = async (stdin: TextSource): Promise<{ exitCode: number; code: string }> => {
    let stdout = ''
    const stream = { write: (part: string) => void (stdout += part) }
    const exitCode = await runCommandLine(argv, { stdin, stdout: stream, stderr: stream, env: {}, cwd: '/' })
    return { exitCode, code: JSON.parse(stdout).error.code }
  }

  test('is not waited for where a person sits', async () => {
    const terminal: TextSource = { isTTY: true, [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }
    expect(await outcome(terminal)).toEqual({ exitCode: 2, code: 'CLI_INPUT_EMPTY' })
  })

  test('is refused beyond what one text can hold', async () => {
    const chunk = new Uint8Array(64_000_000)
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) yield chunk
    }
    expect(await outcome(endless())).toEqual({ exitCode: 2, code: 'CLI_INPUT_TOO_LARGE' })
  })

  test('that breaks off is a failure of the work, exit code 1', async () => {
    expect(await outcome(brokenPipe())).toEqual({ exitCode: 1, code: 'CLI_UNEXPECTED' })
  })
})

describe('a full disk', () => {
  test('is named with the path, whatever command met it', async () => {
    let stdout = ''
    const stream = { write: (part: string) => void (stdout += part) }
    const argv = ['advantages', '--estimator', 'drpo', '--json']
    const exitCode = await runCommandLine(argv, {
      stdin: fullPipe(),
      stdout: stream,
      stderr: stream,
      env: {},
      cwd: '/',
    })
    expect(exitCode).toBe(1)
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'CLI_DISK_FULL',
      message: 'The disk is full: /data/run/x.json could not be written.',
    })
  })
})

describe('exit codes', () => {
  test('of work that failed name errors that exist', async () => {
    const tables = {
      CLI: cliErrors,
      DATA: dataErrors,
      EVAL: evalErrors,
      MODEL: modelErrors,
      SERVER: serverErrors,
      TENSOR: tensorErrors,
      TRAINER: trainerErrors,
    }
    const codes = Object.entries(tables).flatMap(([prefix, rows]) => Object.keys(rows).map(row => `${prefix}_${row}`))
    const client = resolve(import.meta.dirname, '../../../tooling/verl-plugin/qoq_cluster/client.py')
    const plugIn = await readFile(client, 'utf8')
    codes.push(...[...plugIn.matchAll(/"(QOQ_[A-Z_]+)",$/gm)].map(([, code = '']) => code))
    expect(codes).toEqual(expect.arrayContaining([...workFailures, ...stops]))
  })

  test.for([
    { code: 'TENSOR_DEVICE_MISSING', exitCode: 1 },
    { code: 'TENSOR_RUNTIME_MISSING', exitCode: 1 },
    { code: 'SERVER_ADDRESS_UNAVAILABLE', exitCode: 1 },
    { code: 'CLI_FILE_UNWRITABLE', exitCode: 1 },
    { code: 'MODEL_MEMORY_SHORT', exitCode: 1 },
    { code: 'MODEL_CACHE_FULL', exitCode: 1 },
    { code: 'DATA_DOWNLOAD_FAILED', exitCode: 1 },
    { code: 'DATA_OFFLINE', exitCode: 1 },
    { code: 'CLI_VALUE_INVALID', exitCode: 2 },
    { code: 'DATA_FILE_MISSING', exitCode: 2 },
    { code: 'MODEL_FOLDER_INVALID', exitCode: 2 },
    { code: 'CLI_INTERRUPTED', exitCode: 130 },
    { code: 'EVAL_ABORTED', exitCode: 130 },
    { code: 'TRAINER_ABORTED', exitCode: 130 },
    { code: 'TRAINER_ENGINE_AWAY', exitCode: 1 },
    { code: 'TRAINER_ENGINE_MISSING', exitCode: 1 },
    { code: 'QOQ_SERVER_AWAY', exitCode: 1 },
    { code: 'TRAINER_ENGINE_FIELD', exitCode: 2 },
    { code: 'TRAINER_NO_JOB', exitCode: 2 },
    { code: 'TRAINER_JOB_LEFT', exitCode: 130 },
  ])('of $code is $exitCode', ({ code, exitCode }) => {
    expect(exitCodeOf({ code })).toBe(exitCode)
  })
})

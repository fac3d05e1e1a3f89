import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { synthesise } from '@qoq-med/data-climb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startChatServer } from '../../../tooling/testing/chat-server.ts'

const binary = path.resolve(import.meta.dirname, '../src/bin.ts')
let cwd = ''
beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'qoq-kills-'))
  await synthesise({ dir: path.join(cwd, 'clinic'), size: 90, seed: 3, domains: ['mri'] })
}, 60_000)
afterAll(() => rm(cwd, { recursive: true, force: true }))

const [concurrency, kills] = [3, 10]

/** Lines of the log so far. */
async function recorded(): Promise<number> {
  const text = await readFile(path.join(cwd, 'out', 'samples.jsonl'), 'utf8').catch(() => '')
  return text.split('\n').length - 1
}

test('killed ten times and resumed, no answer that was kept is asked for again', async () => {
  let sinceStart = 0
  let killAfter = Infinity
  let child: ChildProcess | undefined
  const server = await startChatServer(async () => {
    await new Promise(resolve => setTimeout(resolve, 15))
    if (++sinceStart >= killAfter) child?.kill('SIGKILL')
    return { type: 'text', text: '<think>x</think> \\boxed{No Tumor}' }
  })
  const run = async (): Promise<number | null> => {
    sinceStart = 0
    const who = ['--endpoint', server.url, '--served-model', 'm', '--concurrency', String(concurrency)]
    const argv = [
      'eval',
      ...who,
      '--data',
      'mini_clinic_mri=clinic',
      '--split',
      'all',
      '--out',
      'out',
      '--resamples',
      '20',
    ]
    const started = spawn(process.execPath, ['--conditions=@qoq-med/source', binary, ...argv], { cwd, stdio: 'ignore' })
    child = started
    return new Promise(resolve => started.on('close', resolve))
  }
  let lost = 0
  for (let round = 0; round < kills; round++) {
    // A few answers more every time, by a fixed sequence.
    killAfter = 2 + ((round * 7) % 5)
    const [before, asked] = [await recorded(), server.asked.length]
    expect(await run()).toBe(null)
    const gone = server.asked.length - asked - ((await recorded()) - before)
    expect(gone).toBeLessThanOrEqual(concurrency + 1) // what was under way; one may have been cut in its line
    lost += gone
  }
  killAfter = Infinity
  expect(await run()).toBe(0)
  await server.close()
  const { metrics }: { metrics: { overall: { support: number } } } = JSON.parse(
    await readFile(path.join(cwd, 'out', 'results.json'), 'utf8'),
  )
  const lines = (await readFile(path.join(cwd, 'out', 'samples.jsonl'), 'utf8')).trim().split('\n')
  const ids = lines.map(line => (JSON.parse(line) as { sampleId: string }).sampleId) // written by the command
  expect(ids).toHaveLength(metrics.overall.support)
  expect(new Set(ids).size).toBe(ids.length)
  expect(server.asked).toHaveLength(ids.length + lost)
}, 180_000)

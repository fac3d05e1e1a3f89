import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Job } from './engine.ts'
import { newLog } from './new-log.ts'
import { processJob, startProcess } from './process-job.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qoq-job-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function ended(job: Job): Promise<string> {
  for (;;) {
    const state = await job.state()
    if (state !== 'running') return state
    await sleep(20)
  }
}

const shell = (script: string, environment = {}): Promise<Job> =>
  startProcess(folder, { command: ['/bin/sh', '-c', script], environment })

test.for([
  { script: 'echo one; echo two >&2', want: 'succeeded' },
  { script: 'echo one; echo two >&2; exit 3', want: 'failed' },
])('a program that has $want says so, to a process that knows its number alone', async ({ script, want }) => {
  const { id } = await shell(script)
  const again = processJob(folder, id)
  expect(await ended(again)).toBe(want)
  expect(await newLog(again)).toBe('one\ntwo\n')
})

test('a program is told its environment, and ends with all that it started', async () => {
  const job = await shell('echo $QOQ_KEY; sleep 100 & sleep 100', { QOQ_KEY: 'k' })
  let log = ''
  while (log === '') [log] = await Promise.all([newLog(job), sleep(20)])
  expect([log, await job.state()]).toEqual(['k\n', 'running'])
  await job.stop()
  expect(await job.state()).toBe('stopped')
  expect(() => process.kill(-Number(job.id), 0)).toThrow('ESRCH')
})

test('a program that was killed has failed', async () => {
  const job = await shell('sleep 100')
  process.kill(-Number(job.id), 'SIGKILL')
  expect(await ended(job)).toBe('failed')
})

test('a log is read on from where it was, whole characters at a time', async () => {
  const { id } = await shell('printf "caf\\303"; sleep .5; printf "\\251 "; head -c 3000000 /dev/zero | tr "\\0" x')
  const job = processJob(folder, id)
  const pieces: string[] = []
  for (let state = 'running'; state === 'running'; await sleep(20)) {
    state = await job.state()
    for await (const text of job.newLog()) if (text !== '') pieces.push(text)
  }
  expect(pieces[0]).toBe('caf')
  expect(pieces.join('')).toBe(`café ${'x'.repeat(3_000_000)}`)
  expect(await newLog(job)).toBe('')
})

import { expect, test } from 'vitest'
import type { Job } from './engine.ts'
import { followJob } from './follow-job.ts'

test('a job that always has more to say is left when that is asked for', async () => {
  const interrupt = new AbortController()
  const pieces: string[] = []
  const job: Job = {
    id: 'a',
    state: async () => 'running',
    newLog: async function* () {
      yield 'a line\n'
    },
    stop: async () => {},
  }
  const { state, log } = await followJob(job, {
    signal: interrupt.signal,
    everyMs: 1,
    onText: async text => {
      if (pieces.push(text) === 3) interrupt.abort()
    },
    onStep: async () => {},
    onInterrupt: async () => 'detach',
  })
  expect({ state, log }).toMatchObject({
    state: 'detached',
    log: { lastStep: 0, tail: ['a line', 'a line', 'a line'] },
  })
  expect(pieces).toHaveLength(3)
})

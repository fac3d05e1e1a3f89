import { describe, expect, test, vi } from 'vitest'
import { engineSettings } from './engine-settings.ts'
import { jobQuestion } from './job-question.ts'

describe('engineSettings', () => {
  test('are overrides of the configuration, where arguments are given', () => {
    expect(engineSettings({ engine: undefined, ray: undefined })).toEqual([])
    expect(engineSettings({ engine: 'verl', ray: 'http://head:8265' })).toEqual([
      'engine=verl',
      'cluster.ray=http://head:8265',
    ])
  })
})

describe('jobQuestion', () => {
  test('ends a job where nobody can be asked, and says so', async () => {
    vi.stubGlobal('process', { ...process, stdin: { isTTY: false } })
    const notes: string[] = []
    expect(await jobQuestion({ note: text => void notes.push(text) })('job-1')).toBe('stop')
    expect(notes).toEqual(['Stopping the job job-1.'])
  })
})

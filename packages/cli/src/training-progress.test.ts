import { describe, expect, test } from 'vitest'
import { createOutput } from './command-output.ts'
import { progressReporter } from './training-progress.ts'

function terminal(isTTY: boolean) {
  let written = ''
  const stderr = { isTTY, columns: 61, write: (text: string) => (written += text) }
  const output = createOutput({ stdout: stderr, stderr }, { json: false, verbose: false })
  return { report: progressReporter(output), read: () => written }
}

const step = (at: number) => ({ stage: 'rl', algorithm: 'drpo', step: at, steps: 4, reward: at / 10, seconds: 60 })
const byDomain = (at: number) => ({ ...step(at), rewardByDomain: { ecg: at / 10, mri: 1 } })

describe('the progress of a training', () => {
  test('is drawn in place on a terminal: a bar, the time left, the reward of each domain', () => {
    const { report, read } = terminal(true)
    report(byDomain(1))
    report(byDomain(2))
    const second = read().split('\u001B[J').at(-1)!
    expect(second).toBe(
      '████████████░░░░░░░░░░░░ rl (drpo) 2/4  reward 0.200  60.0 s\nrecent reward: ecg 0.15  mri 1.00',
    )
    expect(read()).toContain('\r\u001B[1A\u001B[J') // two lines are taken back
  })

  test('is plain lines elsewhere, few of them, and the last one of a stage', () => {
    const { report, read } = terminal(false)
    for (const at of [1, 2, 3]) report(step(at))
    report(step(4))
    expect(read().split('\n')).toEqual([
      expect.stringContaining('rl (drpo) 1/4'),
      'rl (drpo) 4/4  reward 0.400  60.0 s/step, 0 s left',
      '',
    ])
  })
})

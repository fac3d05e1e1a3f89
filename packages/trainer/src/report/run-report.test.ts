import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { writeRunReport } from './run-report.ts'

const lines = (records: readonly unknown[]): string => records.map(record => `${JSON.stringify(record)}\n`).join('')

const sft = (step: number) => ({
  stage: 'warm',
  stageIndex: 0,
  algorithm: 'sft',
  step,
  loss: 4 / step,
  seconds: 0.5,
})
const rl = (step: number) => ({
  stage: 'rl',
  stageIndex: 1,
  algorithm: 'drpo',
  step,
  reward: step / 10,
  rewardByDomain: { ecg: step / 20, mri: step / 5 },
  domains: { ecg: { questions: 3, temperature: 1.5, clusters: 1 } },
  seconds: 1,
})

async function runFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'qoq-report-'))
  await writeFile(
    join(folder, 'run.json'),
    JSON.stringify({ schemaVersion: 1, name: 'small', seed: 42, baseFolder: '/data' }),
  )
  await writeFile(
    join(folder, 'metrics.jsonl'),
    `${lines([1, 2, 3].map(sft))}${lines([1, 2, 3].map(rl))}{"stage":"rl","st`,
  )
  const rollout = {
    stage: 'rl',
    stageIndex: 1,
    algorithm: 'drpo',
    step: 3,
    id: 'x/1',
    domain: 'ecg',
    answer: ['MI'],
    reward: 0.6,
    parts: { accuracy: 1 },
    weights: { accuracy: 0.6 },
    skipped: {},
    explanation: { words: '', numbers: {} },
  }
  await writeFile(join(folder, 'samples.jsonl'), lines([{ ...rollout, response: '<think>a & b</think>' }]))
  return folder
}

describe('writeRunReport', () => {
  test('shows every stage with curves for what its metrics have, and nothing of a line that was cut off', async () => {
    const html = await readFile(await writeRunReport(await runFolder()), 'utf8')
    for (const text of [
      'Training run small',
      'Stage warm',
      'Stage rl',
      'Loss',
      'Reward by domain',
      'T(g)',
      'ecg',
      'mri',
    ])
      expect(html).toContain(text)
    expect(html).not.toContain('Gradient norm')
    expect(html.match(/<svg/g)).toHaveLength(6) // loss and seconds; reward, by domain, temperature, seconds
    expect(html).toContain('Research use only')
  })

  test("prints the last step's answers as text, never as HTML", async () => {
    const html = await readFile(await writeRunReport(await runFolder()), 'utf8')
    expect(html.includes('&lt;think&gt;a &amp; b&lt;/think&gt;')).toBe(true)
    expect(html).not.toContain('<think>')
    expect(html).toContain('x/1: truth MI; reward 0.6 (accuracy 1)')
  })

  test('refers to no other file or address, beside the namespaces of SVG', async () => {
    const html = await readFile(await writeRunReport(await runFolder()), 'utf8')
    const own = html.replaceAll(/xmlns(:\w+)?="[^"]*"/g, '').replace('href="data:,"', '') // a page without a picture of its own
    expect(own).not.toMatch(/https?:|src=|href=/)
  })

  test('refuses a folder without a run', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'qoq-report-'))
    await expect(writeRunReport(empty)).rejects.toMatchObject({ code: 'TRAINER_NO_RUN' })
  })
})

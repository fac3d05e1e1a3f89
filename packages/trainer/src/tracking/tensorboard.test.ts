import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { crc32c } from './crc32c.ts'
import { scalarRecord, versionRecord } from './event-record.ts'
import { metricScalars } from './metric-scalars.ts'
import { createTensorBoardTracker } from './tensorboard.ts'

const line = (step: number) => ({ stage: 'warm', stageIndex: 0, algorithm: 'sft', step, seconds: 2, loss: step / 8 })

describe('a TensorBoard event file', () => {
  test('has the checksum of RFC 3720, B.4', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
  })

  test('has the bytes that TensorBoard writes itself (fixtures/tensorboard/make.py)', async () => {
    const start = 1_700_000_000.25
    const written = Buffer.concat([
      versionRecord(start),
      scalarRecord(1, start + 1, { 'drpo/reward': 0.5, 'drpo/rewardByDomain/ecg': 0.25 }),
      scalarRecord(300, start + 300, { 'drpo/reward': -1e-3 }),
    ])
    const want = await readFile(new URL('../../fixtures/tensorboard/events.tfevents', import.meta.url))
    expect(written.equals(want)).toBe(true)
  })

  test('is begun again from the metrics that a resumed run keeps', async () => {
    const run = await mkdtemp(join(tmpdir(), 'qoq-events-'))
    await writeFile(join(run, 'metrics.jsonl'), '')
    const first = await createTensorBoardTracker(run, () => 100)
    for (const step of [1, 2, 3]) await first.metric(line(step))
    await writeFile(join(run, 'metrics.jsonl'), `${JSON.stringify(line(1))}\n`)
    const resumed = await createTensorBoardTracker(run, () => 200)
    await resumed.metric(line(2))
    const files = await readdir(join(run, 'tensorboard'))
    expect(files).toHaveLength(1)
    const bytes = await readFile(join(run, 'tensorboard', files[0]!))
    const want = [
      versionRecord(200),
      scalarRecord(1, 200, { 'warm/seconds': 2, 'warm/loss': 1 / 8 }),
      scalarRecord(2, 200, { 'warm/seconds': 2, 'warm/loss': 2 / 8 }),
    ]
    expect(bytes.equals(Buffer.concat(want))).toBe(true)
  })
})

test('metricScalars takes the numbers of a line by their path and leaves its coordinates out', () => {
  const record = {
    stage: 'drpo',
    stageIndex: 1,
    algorithm: 'drpo',
    step: 7,
    reward: 0.5,
    rewardByDomain: { ecg: 0.25 },
    domains: { ecg: { temperature: 2 } },
    note: 'text',
    flags: [1, 2],
  }
  expect(metricScalars(record)).toEqual({
    'drpo/reward': 0.5,
    'drpo/rewardByDomain/ecg': 0.25,
    'drpo/domains/ecg/temperature': 2,
  })
})

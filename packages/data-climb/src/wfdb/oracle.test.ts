import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { ecgRecording } from '../ecg/ecg-recording.ts'
import { sharedFolder, whySkipped } from '../shared.testing.ts'
import { readWfdb } from '../ecg/wfdb-file.ts'

const folder = path.join(sharedFolder, 'oracles/ecg')
const records = ['ptb_s0010_cut', 'syn500_fmt16', 'syn360_fmt212', 'syn257_fmt80', 'syn500_short_fmt24', 'syn100_fmt32']

function oracle(): (name: string) => { values: Float32Array; rows: number } {
  const bytes = readFileSync(path.join(folder, 'preprocess.safetensors'))
  const headerBytes = Number(bytes.readBigUInt64LE(0))
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerBytes)) as Record<
    string,
    { shape: [number, number]; data_offsets: [number, number] }
  > // safetensors
  return name => {
    const { shape, data_offsets } = header[name]!
    const [start, end] = data_offsets.map(offset => 8 + headerBytes + offset) as [number, number] // two offsets
    return {
      rows: shape[0],
      values: new Float32Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + end)),
    }
  }
}

describe(`p_signal of the ECG oracle${whySkipped}`, () => {
  // The suggested tolerance is 1e-6 mV; both sides are float32 of values of a few millivolts.
  test.skipIf(whySkipped !== '').for(records)('%s', async record => {
    const read = oracle()
    const { signalMv } = ecgRecording(await readWfdb(path.join(folder, record)))
    for (const part of ['first_400', 'last_50']) {
      const { values, rows } = read(`${record}/p_signal_${part}`)
      const length = signalMv[0]!.length
      const start = part === 'first_400' ? 0 : length - rows
      for (let i = 0; i < rows; i++)
        for (let lead = 0; lead < 12; lead++)
          expect(Math.abs(signalMv[lead]![start + i]! - values[i * 12 + lead]!)).toBeLessThanOrEqual(1e-6)
    }
  })
})

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findDataset, listDatasets } from './registry.ts'
import { openDataset } from '../open/open-dataset.ts'
import { verifyDataset } from '../verify/verify-dataset.ts'
import { writeEcg, writeLayoutFile, writeTable } from './written-layouts.testing.ts'

let root: string
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'qoq-normal-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

/** SNOMED CT: sinus rhythm, old myocardial infarction, T-wave abnormality. */
const [sinus, infarction, tWave] = ['426783006', '164865005', '164934002']

/** A Challenge record without its signals: opening looks at labels and sizes. */
const header = (record: string, codes: readonly string[]) =>
  `${record} 1 500 2\n${record}.dat 16 1000(0)/mV 16 0 0 0 0 I\n# Dx: ${codes.join(',')}\n`

async function writeChallenge(folder: string, records: Readonly<Record<string, readonly string[]>>): Promise<void> {
  let level = 0
  for (const [record, codes] of Object.entries(records)) {
    await writeLayoutFile(folder, `${record}.hea`, header(record, codes))
    await writeLayoutFile(folder, `${record}.dat`, Uint8Array.of(++level, 0, 0, 0))
  }
}

async function answers(id: string, folder: string): Promise<Record<string, readonly string[]>> {
  const { samples } = await openDataset(id, { root: folder })
  return Object.fromEntries(samples.map(sample => [sample.id.replace(`${id}/`, ''), sample.answer]))
}

describe('Normal', () => {
  test.for(listDatasets().filter(({ domain, access }) => domain === 'ecg' && access !== 'generated'))(
    'is said by $id to mean one thing',
    ({ differences }) => {
      expect(differences.filter(text => text.startsWith('Normal means')).length).toBe(1)
    },
  )

  test('is a sinus rhythm in the Challenge sets; beside an infarction verify reports it', async () => {
    const folder = path.join(root, 'ga')
    await writeChallenge(folder, { E1: [sinus], E2: [sinus, tWave], E3: [sinus, infarction], E4: [infarction] })
    expect(await answers('georgia', folder)).toEqual({
      E1: ['Normal'],
      E2: ['Normal', 'STTC'],
      E3: ['Normal', 'Myocardial Infarction'],
      E4: ['Myocardial Infarction'],
    })
    const report = await verifyDataset('georgia', { root: folder })
    expect(report.contradictoryAnswers).toEqual(['georgia/E3'])
  })

  test('is a normal ECG in both packagings of PTB-XL', async () => {
    const challenge = path.join(root, 'hr')
    await writeChallenge(challenge, { HR00001: [sinus], HR00002: [sinus, tWave], HR00003: [sinus, infarction] })
    expect(await answers('ptb_xl', challenge)).toEqual({
      HR00001: ['Normal'],
      HR00002: ['STTC'],
      HR00003: ['Myocardial Infarction'],
    })
    const native = path.join(root, 'ptb')
    await writeTable(native, 'ptbxl_database.csv', 'ecg_id,patient_id,scp_codes,strat_fold,filename_hr', [
      `1,1,"{'NORM': 100.0, 'SR': 0.0}",1,records500/1`,
      `2,2,"{'NST_': 100.0, 'SR': 0.0}",1,records500/2`,
      `3,3,"{'NORM': 50.0, 'IMI': 35.0, 'SR': 0.0}",1,records500/3`,
    ])
    for (const record of ['1', '2', '3']) await writeEcg(native, `records500/${record}`)
    expect(await answers('ptb_xl', native)).toEqual({
      '00001': ['Normal'],
      '00002': ['STTC'],
      '00003': ['Normal', 'Myocardial Infarction'],
    })
    const { contradictoryAnswers } = await verifyDataset('ptb_xl', { root: native })
    expect(contradictoryAnswers).toEqual(['ptb_xl/00003'])
  })

  test('excludes an infarction in every ECG definition', () => {
    expect(findDataset('cpsc').exclusiveLabels).toEqual([['Normal', 'Myocardial Infarction']])
  })
})

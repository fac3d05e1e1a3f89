import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDataset } from '../open/open-dataset.ts'
import { demographicLabel } from '../sample/demographic-label.ts'
import type { BoxXyxy, Sample } from '../sample/sample.ts'
import { normalHeart, ecgConditions } from './ecg-conditions.ts'
import { severityOf, visibilityOf } from './clinic-difficulty.ts'
import { heartBetween } from './heart-severity.ts'
import { randomStream } from './random-stream.ts'
import { synthesise } from './synthesise.ts'

interface Row {
  readonly key: string
  readonly patientId: string
  readonly sex: string
  readonly age: number
}

let dir = ''
const samples = new Map<string, readonly Sample[]>()
const domains = ['ecg', 'mri', 'ultrasound'] as const
beforeAll(async () => {
  dir = path.join(await mkdtemp(path.join(tmpdir(), 'qoq-ambiguous-')), 'clinic')
  await synthesise({ dir, seed: 5, size: 90, preset: 'balanced', difficulty: 'ambiguous', answers: 'short', domains })
  for (const domain of domains) samples.set(domain, (await openDataset(`mini_clinic_${domain}`, { root: dir })).samples)
})
afterAll(() => rm(path.dirname(dir), { recursive: true, force: true }))

async function rowsOf(folder: string): Promise<Row[]> {
  const text = await readFile(path.join(folder, 'index.jsonl'), 'utf8')
  return text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Row) // what synthesise wrote
}

function area({ x1, y1, x2, y2 }: BoxXyxy): number {
  return (x2 - x1) * (y2 - y1)
}

/** The corners of the box in a reference. */
function numbers(text: string): number[] {
  return JSON.parse(/\[.*?\]/.exec(text)![0]) as number[] // a list of numbers
}

describe('patients of the mini clinic', () => {
  test('have one sex and age each, both sexes and every band occur, and samples carry the group', async () => {
    const rows = (await Promise.all(domains.map(domain => rowsOf(path.join(dir, domain))))).flat()
    const byPatient = Map.groupBy(rows, ({ patientId }) => patientId)
    for (const own of byPatient.values()) expect(new Set(own.map(({ sex, age }) => `${sex} ${age}`)).size).toBe(1)
    const groups = new Set(rows.map(row => demographicLabel(row)))
    expect(groups).toEqual(new Set(['F,A1', 'F,A2', 'F,A3', 'F,A4', 'M,A1', 'M,A2', 'M,A3', 'M,A4']))
    for (const sample of [...samples.values()].flat())
      expect(sample.demographics).toBe(demographicLabel(rows.find(({ key }) => sample.id.endsWith(`/${key}`))!))
  })

  test('no question says who is asked about', () => {
    for (const { question } of [...samples.values()].flat()) expect(question).not.toMatch(/male|sex|age|year/i)
  })
})

describe('the short form', () => {
  test('asks for the cue and answers with at most one box, then the labels', () => {
    const [ecg, mri] = [samples.get('ecg')!, samples.get('mri')!]
    expect(new Set(ecg.map(({ question }) => question))).toEqual(new Set(['12-lead ECG?']))
    expect(ecg.every(({ answer, reference }) => reference() === `\\boxed{${answer.join(', ')}}`)).toBe(true)
    for (const { answer, boxes, reference } of mri) {
      const largest = boxes?.toSorted((a, b) => area(b) - area(a))[0]
      const box = largest && `{"box":[${[largest.x1, largest.y1, largest.x2, largest.y2].join(',')}]}`
      expect(reference()).toBe(`${box ?? ''}\\boxed{${answer.join(', ')}}`)
    }
    expect(mri.some(({ boxes }) => boxes !== undefined)).toBe(true)
  })

  test('scales its box to the picture as it is seen', () => {
    const { boxes, reference } = samples.get('mri')!.find(sample => sample.boxes !== undefined)!
    const [stored, seen] = [numbers(reference()), numbers(reference([{ x: 0.5, y: 2 }]))]
    expect(boxes).not.toEqual([])
    expect(seen).toEqual(stored.map((value, i) => Math.round(value * (i % 2 === 0 ? 0.5 : 2))))
  })
})

describe('an ambiguous clinic', () => {
  const [young, old] = [
    { sex: 'F', age: 75 },
    { sex: 'F', age: 76 },
  ] as const

  test('shows findings from not at all to plainly, and fainter in patients over 75; no other clinic reads the age', () => {
    expect(visibilityOf('ambiguous', young, 0)).toBe(0)
    expect(visibilityOf('ambiguous', young, 1)).toBeCloseTo(visibilityOf('easy', young, 1), 12)
    expect(visibilityOf('ambiguous', old, 0.5)).toBeCloseTo(0.7 * visibilityOf('ambiguous', young, 0.5), 12)
    for (const difficulty of ['easy', 'medium', 'hard'] as const) {
      expect(visibilityOf(difficulty, old, 0.5)).toBe(visibilityOf(difficulty, young, 0.5))
      expect(severityOf(difficulty, old, 0)).toBe(1)
    }
  })

  test.for(ecgConditions)(
    'a heart without severity is a healthy one, and between it lies between: $snomed',
    condition => {
      const healthy = normalHeart(randomStream('a'))
      const sick = condition.apply(healthy, randomStream('b'))
      expect(heartBetween(healthy, sick, 1)).toBe(sick)
      const none = heartBetween(healthy, sick, 0)
      expect(none).toMatchObject({ rateBpm: healthy.rateBpm, irregularity: healthy.irregularity, ectopicEvery: 0 })
      for (const [name, { mv }] of Object.entries(none.shape)) expect(mv).toEqual(healthy.shape[name]?.mv ?? [0, 0, 0])
      const half = heartBetween(healthy, sick, 0.5)
      expect(half.rateBpm).toBeCloseTo((healthy.rateBpm + sick.rateBpm) / 2, 9)
      for (const [name, { mv }] of Object.entries(half.shape))
        for (const axis of [0, 1, 2] as const)
          expect(mv[axis]).toBeCloseTo(
            ((healthy.shape[name]?.mv[axis] ?? 0) + (sick.shape[name]?.mv[axis] ?? 0)) / 2,
            9,
          )
    },
  )
})

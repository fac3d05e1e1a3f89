import { describe, expect, test } from 'vitest'
import { ecgConditions, normalHeart } from './ecg-conditions.ts'
import { randomStream } from './random-stream.ts'
import { simulateEcg } from './simulate-ecg.ts'

const conditionOf = (snomed: string) => ecgConditions.find(condition => condition.snomed === snomed)!

/** Simulates a condition and returns leads by name. */
function leadsOf(snomed: string, seed = 0) {
  const random = randomStream(`test|${snomed}|${seed}`)
  const { leads, signalMv } = simulateEcg(conditionOf(snomed).apply(normalHeart(random), random), random)
  return Object.fromEntries(leads.map((lead, i) => [lead, signalMv[i]!]))
}

/** Sample numbers of R peaks: the largest slope energy over all leads, at least 280 ms apart. */
function peaks(leads: Record<string, Float32Array>): number[] {
  const energy = Float64Array.from({ length: 5000 }, (_, i) =>
    Object.values(leads).reduce((sum, lead) => sum + ((lead[i + 4] ?? 0) - (lead[i - 4] ?? 0)) ** 2, 0),
  )
  const threshold = Math.max(...energy.subarray(500, 4500)) * 0.3
  const found: number[] = []
  for (let i = 60; i < 4940; i++) {
    const window = energy.subarray(i - 60, i + 60)
    if (energy[i]! >= threshold && energy[i] === Math.max(...window) && i - (found.at(-1) ?? -999) > 100) found.push(i)
  }
  return found
}

/** Mean of a lead at an offset from the R peaks, against the level before the QRS. */
function levelAt(leads: Record<string, Float32Array>, lead: string, offsetMs: number): number {
  const inside = peaks(leads).filter(peak => peak > 200 && peak < 4600)
  const level = (at: number) => leads[lead]!.subarray(at - 4, at + 5).reduce((sum, mv) => sum + mv, 0) / 9
  return inside.reduce((sum, peak) => sum + level(peak + offsetMs / 2) - level(peak - 40), 0) / inside.length
}

const rrDeviation = (leads: Record<string, Float32Array>) => {
  const at = peaks(leads)
  const rr = at.slice(1).map((peak, i) => peak - at[i]!)
  const mean = rr.reduce((sum, x) => sum + x, 0) / rr.length
  return Math.sqrt(rr.reduce((sum, x) => sum + (x - mean) ** 2, 0) / rr.length) / mean
}

describe('simulateEcg', () => {
  test('obeys Einthoven and Goldberger up to its noise', () => {
    const { I, II, III, aVR, aVL, aVF } = leadsOf('426783006') as Record<string, Float32Array>
    for (let i = 0; i < 5000; i += 50) {
      expect(Math.abs(II![i]! - I![i]! - III![i]!)).toBeLessThan(0.3)
      expect(Math.abs(aVR![i]! + aVL![i]! + aVF![i]!)).toBeLessThan(0.3)
    }
  })

  test.for([
    { name: 'sinus rhythm', snomed: '426783006', least: 9, most: 16 },
    { name: 'tachycardia', snomed: '427084000', least: 16, most: 24 },
    { name: 'bradycardia', snomed: '426177001', least: 6, most: 10 },
  ])('$name has its rate', ({ snomed, least, most }) => {
    const beats = peaks(leadsOf(snomed)).length
    expect(beats).toBeGreaterThanOrEqual(least)
    expect(beats).toBeLessThanOrEqual(most)
  })

  test('atrial fibrillation is irregular, sinus rhythm is not', () => {
    expect(rrDeviation(leadsOf('164889003'))).toBeGreaterThan(0.12)
    expect(rrDeviation(leadsOf('426783006'))).toBeLessThan(0.08)
  })

  test('a P wave precedes the QRS in sinus rhythm, and not in fibrillation', () => {
    expect(levelAt(leadsOf('426783006'), 'II', -160)).toBeGreaterThan(0.07)
    expect(Math.abs(levelAt(leadsOf('164889003'), 'II', -160))).toBeLessThan(0.06)
  })

  test.for([
    { name: 'inferior infarction lifts ST in III', snomed: '164865005', lead: 'III', sign: 1 },
    { name: 'inferior infarction lowers ST in aVL', snomed: '164865005', lead: 'aVL', sign: -1 },
    { name: 'anterior infarction lifts ST in V2', snomed: '54329005', lead: 'V2', sign: 1 },
    { name: 'ST depression lowers ST in V5', snomed: '429622005', lead: 'V5', sign: -1 },
    { name: 'strain lowers ST in V6', snomed: '164873001', lead: 'V6', sign: -1 },
  ])('$name', ({ snomed, lead, sign }) => {
    expect(levelAt(leadsOf(snomed), lead, 130) * sign).toBeGreaterThan(0.08)
  })

  test('right bundle branch block has a late R in V1; hypertrophy has tall R in V5', () => {
    const late = levelAt(leadsOf('59118001'), 'V1', 64)
    expect(late).toBeGreaterThan(0.4)
    expect(levelAt(leadsOf('426783006'), 'V1', 64)).toBeLessThan(0.2)
    expect(Math.max(...leadsOf('164873001')['V5']!)).toBeGreaterThan(1.6)
  })

  test('T waves point down in V5 with T inversion, up otherwise', () => {
    expect(levelAt(leadsOf('59931005'), 'V5', 290)).toBeLessThan(-0.1)
    expect(levelAt(leadsOf('426783006'), 'V5', 290)).toBeGreaterThan(0.1)
  })

  test('is the same for the same stream name and finite for every condition', () => {
    expect(leadsOf('426783006')).toEqual(leadsOf('426783006'))
    expect(leadsOf('426783006', 1)).not.toEqual(leadsOf('426783006'))
    for (const { snomed } of ecgConditions)
      for (const lead of Object.values(leadsOf(snomed))) expect(lead.every(mv => Math.abs(mv) < 5)).toBe(true)
  })
})

import { describe, expect, test } from 'vitest'
import type { BenchRow, Round } from './base/bench-row.ts'
import { benchDocument, benchText } from './bench-report.ts'
import { compare, sideResult } from './measure-row.ts'

const megabyte = 2 ** 20
const row: BenchRow = {
  name: 'tensor/step',
  work: 'a step',
  measure: 'drpo',
  options: {},
  peer: { name: 'PyTorch', runtime: 'python', script: 'training_step.py' },
  figure: 'time',
  unit: 'ms',
  target: { type: 'ratio', value: 0.95 },
  memoryTarget: 1.2,
}
const rounds = (seconds: readonly number[], peak: number, units?: number): Round[] =>
  seconds.map(each => ({ seconds: each, peakRssBytes: peak * megabyte, units }))
const side = (of: BenchRow, name: string, all: readonly Round[]) =>
  sideResult(of, { name, versions: { [name]: '1.2.3' } }, all)

describe('compare', () => {
  test('divides the fastest times and the medians, and the peaks of memory', () => {
    const ours = side(row, 'qoq', rounds([0.9, 0.8, 1.2], 300))
    const peer = side(row, 'torch', rounds([1, 1.6, 1.2], 200))
    expect(ours).toMatchObject({ best: 800, median: 900, peakRssBytes: 300 * megabyte })
    expect(compare(row, ours, peer)).toMatchObject({
      ratio: { figure: 0.8, median: 0.75, target: 0.95, met: true },
      memory: { figure: 1.5, target: 1.2, met: false },
    })
  })

  test('wants rates to be high', () => {
    const rate: BenchRow = { ...row, figure: 'rate', unit: 'tokens/s', target: { type: 'ratio', value: 4 } }
    const ours = side(rate, 'qoq', rounds([2, 1], 1, 300))
    const peer = side(rate, 'hf', rounds([4, 3], 1, 300))
    expect(ours).toMatchObject({ best: 300, median: 225 })
    expect(compare(rate, ours, peer).ratio).toMatchObject({ figure: 3, met: false })
  })

  test('judges a limit by our figure alone, a value by its worst round', () => {
    const gap: BenchRow = { ...row, figure: 'value', unit: 'nats', target: { type: 'limit', value: 2e-5 } }
    const found = [1e-6, 3e-5, 2e-6].map(value => ({ seconds: 1, value, peakRssBytes: megabyte }))
    const result = compare(gap, side(gap, 'qoq', found), undefined)
    expect(result.limit).toEqual({ figure: 3e-5, target: 2e-5, met: false })
    expect(result).not.toHaveProperty('ratio')
  })
})

describe('the report', () => {
  const done = compare(row, side(row, 'qoq', rounds([0.8], 200)), side(row, 'torch', rounds([1], 200)))
  const results = [done, { row: { ...row, name: 'tensor/other' }, missing: 'give --gguf to measure it' }]
  const machine = { cpu: 'Some CPU', cores: 2, memoryBytes: 24 * 2 ** 30, system: 'Linux 6 x64' }
  const document = benchDocument(results, { date: '2026-11-26', threads: 2, device: 'cpu', machine })

  test('has the ratios first, and why others are missing', () => {
    expect(Object.keys(document)[0]).toBe('ratios')
    expect(document.ratios).toEqual({ 'tensor/step': { figure: 0.8, median: 0.8, target: 0.95, met: true } })
    expect(document.missing).toEqual({ 'tensor/other': 'give --gguf to measure it' })
    expect(document.versions).toEqual({ qoq: '1.2.3', torch: '1.2.3' })
  })

  test('shows machine, figures, targets and what is missing', () => {
    const text = benchText(results, document)
    expect(text).toContain('2 × Some CPU, 24 GiB, Linux 6 x64')
    expect(text).toMatch(/tensor\/step +≤ 0.95 +met +0.80 +0.80 +800 +800 +1000 +1000 +ms +1.00 ≤ 1.2 met +200 +200/)
    expect(text).toContain('tensor/other: give --gguf to measure it')
  })
})

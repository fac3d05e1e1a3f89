import type { ExecutorDevice } from '@qoq-med/tensor'
import { textTable } from '../text-table.ts'
import { figures, type BenchRow } from './base/bench-row.ts'
import type { Machine } from './machine.ts'
import type { RowResult, SideResult, Verdict } from './measure-row.ts'

/** All that one run of the benchmark found; ratios first. */
export interface BenchDocument {
  /** By row: our figure as a share of the peer's, and whether that is what is wanted. */
  readonly ratios: Readonly<Record<string, Verdict & { readonly median: number }>>
  /** By row: our figure alone, where the target is a limit. */
  readonly limits: Readonly<Record<string, Verdict & { readonly unit: string }>>
  /** By row: our peak memory as a share of the peer's. */
  readonly memory: Readonly<Record<string, Verdict>>
  /** By row: why there is no figure, or no ratio. */
  readonly missing: Readonly<Record<string, string>>
  readonly date: string
  readonly threads: number
  readonly device: ExecutorDevice
  readonly machine: Machine
  readonly versions: Readonly<Record<string, string>>
  readonly rows: readonly (Pick<BenchRow, 'name' | 'work' | 'unit'> & Pick<RowResult, 'ours' | 'peer'>)[]
}

/** Puts the results of rows into one document. */
export function benchDocument(
  results: readonly RowResult[],
  { date, threads, device, machine }: Pick<BenchDocument, 'date' | 'threads' | 'device' | 'machine'>,
): BenchDocument {
  const byRow = <Value>(of: (result: RowResult) => Value | undefined): Record<string, Value> =>
    Object.fromEntries(
      results.flatMap(result => {
        const value = of(result)
        return value === undefined ? [] : [[result.row.name, value]]
      }),
    )
  const sides = results.flatMap(({ ours, peer }) => [...(ours ? [ours] : []), ...(peer ? [peer] : [])])
  return {
    ratios: byRow(({ ratio }) => ratio),
    limits: byRow(({ limit, row }) => limit && { ...limit, unit: row.unit }),
    memory: byRow(({ memory }) => memory),
    missing: byRow(({ missing }) => missing),
    date,
    threads,
    device,
    machine,
    versions: Object.assign({}, ...sides.map(({ versions }) => versions)) as Record<string, string>, // all are such records
    rows: results.map(({ row: { name, work, unit }, ours, peer }) => ({
      name,
      work,
      unit,
      ...(ours && { ours }),
      ...(peer && { peer }),
    })),
  }
}

/** Writes a run for people: the machine, a table, and what is missing. */
export function benchText(results: readonly RowResult[], document: BenchDocument): string {
  const { machine, versions, missing } = document
  const measured = results.filter(({ ours }) => ours !== undefined)
  const table = textTable([
    ['', 'wanted', '', 'ratio', 'median', 'qoq', 'median', 'peer', 'median', '', 'memory', 'MB', 'MB'],
    ...measured.map(tableRow),
  ])
  const facts = [
    `${machine.cores} × ${machine.cpu}, ${(machine.memoryBytes / 2 ** 30).toFixed(0)} GiB, ${machine.system}`,
    `${document.device}, ${document.threads} threads; ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}; ${document.date}`,
  ]
  const notes = Object.entries(missing).map(([name, why]) => `${name}: ${why}`)
  return [
    facts.join('\n'),
    ...(measured.length > 0 ? [table] : []),
    ...(notes.length > 0 ? [notes.join('\n')] : []),
  ].join('\n\n')
}

function tableRow({ row, ours, peer, ratio, limit, memory }: RowResult): string[] {
  const verdict = row.target?.type === 'limit' ? limit : ratio
  const wanted = row.target
    ? `${figures[row.figure].sign} ${row.target.value}${row.target.type === 'limit' ? ` ${row.unit}` : ''}`
    : ''
  const memoryText = memory
    ? `${memory.figure.toFixed(2)}${memory.target === undefined ? '' : ` ≤ ${memory.target}`}`
    : ''
  return [
    row.name,
    wanted,
    verdictText(verdict),
    ratio ? ratio.figure.toFixed(2) : '',
    ratio ? ratio.median.toFixed(2) : '',
    ...sideTexts(ours),
    ...sideTexts(peer),
    row.unit,
    memory?.met === undefined ? memoryText : `${memoryText} ${verdictText(memory)}`,
    megabytes(ours),
    megabytes(peer),
  ]
}

function sideTexts(side: SideResult | undefined): string[] {
  return side ? [numberText(side.best), numberText(side.median)] : ['', '']
}

function verdictText(verdict: Verdict | undefined): string {
  if (verdict?.met === undefined) return ''
  return verdict.met ? 'met' : 'MISSED'
}

function megabytes(side: SideResult | undefined): string {
  return side ? (side.peakRssBytes / 2 ** 20).toFixed(0) : ''
}

/** Four significant digits at most, without an exponent. */
function numberText(value: number): string {
  if (value === 0) return '0'
  if (Math.abs(value) < 1e-3) return value.toExponential(1)
  return String(Number(value.toPrecision(4)))
}

import { type PrintedRow, table2, table4, tableColumns } from './printed-tables.ts'

/** A sentence of the paper beside what its own tables say. */
export interface PaperClaim {
  /** What the paper says, and where. */
  readonly claim: string
  /** What follows from the tables. */
  readonly tables: string
  readonly agrees: boolean
}

/** The methods that table 2 compares DRPO with; its ablations are not among them. */
const baselines = ['SFT', 'PPO', 'ReMax', 'REINFORCE++', 'RLOO', 'GRPO'] as const

/** Checks the paper's sentences about table 2 against table 2, and its ablation sentences. */
export function paperClaims(): PaperClaim[] {
  const drpo = rowOf('DRPO')
  const best = bestDomains(drpo)
  const others = baselines.map(rowOf)
  const [bestF1, bestAccuracy] = [highest(others, 'f1'), highest(others, 'accuracy')]
  return [
    {
      claim: 'DRPO is best in F1 in 7 of 8 domains (section 4.1, table 2)',
      tables: `${best.length} of 8 among SFT and the other RL methods: ${best.join(', ')}`,
      agrees: best.length === 7,
    },
    gainClaim({ claimed: 43, of: drpo, over: bestF1, where: 'over the best baseline (section 4.1)' }),
    {
      claim: 'accuracy is 6.1 percentage points higher than the best baseline (section 4.1)',
      tables: `${points(drpo, bestAccuracy)} over ${bestAccuracy.method}, the best; ${points(drpo, rowOf('SFT'))} over SFT`,
      agrees: points(drpo, bestAccuracy) === '6.1',
    },
    gainClaim({
      claimed: 29.5,
      of: rowOf('DRPO by domain'),
      over: bestF1,
      where: 'of domain scaling over the best baseline (section 4.1)',
    }),
    gainClaim({ claimed: 10.4, of: drpo, over: rowOf('DRPO by domain'), where: 'of clusters (section 4.1)' }),
    gainClaim({ claimed: 1.6, of: drpo, over: rowOf('DRPO without KL'), where: 'of the KL term (section 4.1)' }),
    {
      claim: 'QoQ-Med surpasses o4-mini in all domains except MRI (section 4.1)',
      tables: `in accuracy also in MRI; in F1 behind it in ${behind('QoQ-Med-7B', 'o4-mini').join(', ')}`,
      agrees: behind('QoQ-Med-7B', 'o4-mini').join() === 'mri',
    },
  ]
}

function gainClaim({
  claimed,
  of,
  over,
  where,
}: {
  readonly claimed: number
  readonly of: PrintedRow
  readonly over: PrintedRow
  readonly where: string
}): PaperClaim {
  const [gain, overGrpo] = [gainPercent(of, over), gainPercent(of, rowOf('GRPO'))]
  const grpo = over.method === 'PPO' ? `; ${overGrpo.toFixed(1)} % over GRPO` : ''
  return {
    claim: `F1 gains ${claimed} % ${where}`,
    tables: `${gain.toFixed(1)} % over ${over.method}${grpo}`,
    agrees: Math.abs(gain - claimed) < 0.5,
  }
}

function rowOf(method: string): PrintedRow {
  return [...table2, ...table4].find(row => row.method === method)! // named in this file
}

function overallOf(row: PrintedRow, measure: 'accuracy' | 'f1'): number {
  return row[measure][tableColumns.indexOf('overall')]! // every row has all columns
}

function highest(rows: readonly PrintedRow[], measure: 'accuracy' | 'f1'): PrintedRow {
  return rows.toSorted((a, b) => overallOf(b, measure) - overallOf(a, measure))[0]! // not empty
}

function gainPercent(of: PrintedRow, over: PrintedRow): number {
  return 100 * (overallOf(of, 'f1') / overallOf(over, 'f1') - 1)
}

function points(of: PrintedRow, over: PrintedRow): string {
  return (100 * (overallOf(of, 'accuracy') - overallOf(over, 'accuracy'))).toFixed(1)
}

/** Domains in which no baseline has a higher F1. */
function bestDomains(row: PrintedRow): string[] {
  return tableColumns.filter(
    (column, index) => column !== 'overall' && baselines.every(name => row.f1[index]! >= rowOf(name).f1[index]!),
  )
}

/** Domains in which the first model's F1 is below the second's. */
function behind(first: string, second: string): string[] {
  const [a, b] = [rowOf(first), rowOf(second)]
  return tableColumns.filter((column, index) => column !== 'overall' && a.f1[index]! < b.f1[index]!)
}

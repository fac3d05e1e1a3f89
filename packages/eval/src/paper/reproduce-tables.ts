import { type FullTable, fullTables } from './full-tables.ts'
import { type PrintedRow, table2, table4, tableColumns, type TableColumn } from './printed-tables.ts'

/** One line of tables 6-12. */
export interface FullTableRow {
  /** As printed: `CT/INSPECT`, `CT`, `Overall`. */
  readonly name: string
  readonly accuracy: number
  readonly sensitivity: number
  readonly specificity: number
  readonly f1: number
  readonly precision: number
  readonly recall: number
}

/** A printed value beside the one that its parts come to. */
export interface TableCheck {
  /** Where the value is printed, such as `table 2, GRPO, ct, F1`. */
  readonly place: string
  readonly printed: number
  /** What the finer table's rows come to. */
  readonly aggregated: number
  /** Whether both agree to the printed digits. */
  readonly agrees: boolean
}

/** Domains by the prefix of a dataset's name in tables 6-12. */
const prefixes: Readonly<Record<Exclude<TableColumn, 'overall'>, string>> = {
  chest_xray: 'CHEST_XRAY',
  mammography: 'MAMMO',
  dermoscopy: 'DERM',
  ct: 'CT',
  fundus: 'FUNDUS',
  ultrasound: 'ULTRASOUND',
  mri: 'MRI',
  pathology: 'PATHOLOGY',
}

const measures = ['accuracy', 'sensitivity', 'specificity', 'f1', 'precision', 'recall'] as const

/** Reads the lines of one of tables 6-12, datasets first. */
export function fullTableRows(lines: string): FullTableRow[] {
  return lines
    .trim()
    .split('\n')
    .map(line => {
      const [name = '', ...cells] = line.split(' ')
      const values = Object.fromEntries(measures.map((measure, index) => [measure, Number(cells[index])]))
      return { name, ...(values as Record<(typeof measures)[number], number>) } // filled for every measure
    })
}

/**
 * Recomputes every mean that the paper prints: the domains and overall rows of tables 6-12 from their datasets (eqs. 14
 * and 15), and the rows of tables 2 and 4 from those tables.
 *
 * @param tables those of the paper unless others are given
 */
export function reproduceTables(tables: readonly FullTable[] = fullTables): TableCheck[] {
  return tables.flatMap(({ table, method, lines }) => {
    const rows = fullTableRows(lines)
    const printed = [...table2, ...table4].find(row => row.method === method)
    return [...checkFullTable(`table ${table}, ${method}`, rows), ...(printed ? checkPrinted(printed, rows) : [])]
  })
}

/** Means of a domain's datasets (eq. 14), by domain. */
function domainMeans(rows: readonly FullTableRow[]): Map<string, FullTableRow> {
  const means = Object.values(prefixes).map(prefix => {
    const own = rows.filter(({ name }) => name.startsWith(`${prefix}/`))
    return [prefix, meanRow(prefix, own)] as const
  })
  return new Map(means)
}

function meanRow(name: string, rows: readonly FullTableRow[]): FullTableRow {
  const mean = (measure: (typeof measures)[number]): number =>
    rows.reduce((sum, row) => sum + row[measure], 0) / rows.length
  return {
    name,
    accuracy: mean('accuracy'),
    sensitivity: mean('sensitivity'),
    specificity: mean('specificity'),
    f1: mean('f1'),
    precision: mean('precision'),
    recall: mean('recall'),
  }
}

function checkFullTable(place: string, rows: readonly FullTableRow[]): TableCheck[] {
  const domains = domainMeans(rows)
  const overall = meanRow('Overall', [...domains.values()])
  return [...domains.values(), overall].flatMap(aggregated => {
    const printed = rows.find(({ name }) => name === aggregated.name)
    if (!printed) return []
    // The datasets are rounded to four digits themselves, so their mean may be off by half a digit more.
    return measures.map(measure =>
      check(`${place}, ${aggregated.name}, ${measure}`, [printed[measure], aggregated[measure]], 4),
    )
  })
}

function checkPrinted({ method, accuracy, f1 }: PrintedRow, rows: readonly FullTableRow[]): TableCheck[] {
  const domains = domainMeans(rows)
  const overall = meanRow('Overall', [...domains.values()])
  const table = table2.some(row => row.method === method) ? 2 : 4
  return tableColumns.flatMap((column, index) => {
    const aggregated = column === 'overall' ? overall : domains.get(prefixes[column])! // a mean for every prefix
    const place = `table ${table}, ${method}, ${column}`
    return [
      check(`${place}, accuracy`, [accuracy[index]!, aggregated.accuracy], 3),
      check(`${place}, f1`, [f1[index]!, aggregated.f1], 3),
    ]
  })
}

function check(place: string, [printed, aggregated]: readonly [number, number], digits: number): TableCheck {
  // Half a unit of the last printed digit, and half a unit of the fourth for the rounding of the parts.
  const tolerance = 0.5 * 10 ** -digits + 0.5e-4 + 1e-9
  return { place, printed, aggregated, agrees: Math.abs(printed - aggregated) <= tolerance }
}

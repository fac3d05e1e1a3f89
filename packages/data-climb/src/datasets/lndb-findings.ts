/** One radiologist's mark in a scan. */
export interface ReaderMark {
  readonly scan: number
  readonly reader: number
  readonly finding: number
  /** Row of the index, for errors. */
  readonly place: string
  /** World coordinates as written, in millimetres. */
  readonly point: readonly [number, number, number]
  readonly isNodule: boolean
  readonly volumeMm3: number
}

/** What different readers saw in one place. */
export interface NoduleFinding {
  readonly scan: number
  readonly marks: readonly ReaderMark[]
  readonly point: readonly [number, number, number]
  readonly label: 'nodule >= 3mm' | 'nodule < 3mm' | 'non-nodule'
}

/** Diameter, in millimetres, from which a nodule is segmented; smaller ones are point marks with the volume of this sphere. */
const segmentedFromMm = 3
/** Volume of a sphere of that diameter, with what the index rounds away. */
const pointVolumeMm3 = (Math.PI / 6) * segmentedFromMm ** 3 + 1e-4

/**
 * Joins the marks of different readers in one scan when they are closer than the larger radius or 3 mm, as the LNDb
 * challenge does. Any reader who says nodule makes it one; it is large when the mean volume of those readers is above that
 * of a point mark.
 */
export function mergeMarks(marks: readonly ReaderMark[]): NoduleFinding[] {
  const groups: ReaderMark[][] = []
  for (const mark of marks) {
    const near = groups.find(
      group => group.some(other => areSame(mark, other)) && !group.some(other => sharesReader(mark, other)),
    )
    if (near) near.push(mark)
    else groups.push([mark])
  }
  return groups.map(findingOf)
}

function sharesReader(a: ReaderMark, b: ReaderMark): boolean {
  return a.scan === b.scan && a.reader === b.reader
}

function areSame(a: ReaderMark, b: ReaderMark): boolean {
  const distance = Math.hypot(...a.point.map((value, i) => value - b.point[i]!)) // three of each
  return a.scan === b.scan && distance < Math.max(radiusMm(a), radiusMm(b), segmentedFromMm)
}

function radiusMm({ volumeMm3 }: ReaderMark): number {
  return Math.cbrt((3 * volumeMm3) / (4 * Math.PI))
}

function findingOf(marks: readonly ReaderMark[]): NoduleFinding {
  const nodules = marks.filter(mark => mark.isNodule)
  const volumes = nodules.map(mark => mark.volumeMm3)
  const label = nodules.length === 0 ? 'non-nodule' : mean(volumes) > pointVolumeMm3 ? 'nodule >= 3mm' : 'nodule < 3mm'
  const at = (i: 0 | 1 | 2) => mean(marks.map(mark => mark.point[i]))
  return { scan: marks[0]?.scan ?? 0, marks, point: [at(0), at(1), at(2)], label }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

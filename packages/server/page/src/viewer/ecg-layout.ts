/** Millimetres of paper per second and per millivolt. */
export const paper = { mmPerSecond: 25, mmPerMv: 10 } as const

/** A piece of a lead on the paper. */
export interface EcgStrip {
  /** Index of the lead. */
  readonly lead: number
  readonly fromSeconds: number
  readonly seconds: number
  readonly xMm: number
  readonly baselineMm: number
}

/** Where everything lies, in millimetres. */
export interface EcgLayout {
  readonly strips: readonly EcgStrip[]
  readonly widthMm: number
  readonly heightMm: number
}

/** The usual sheet: four columns of 2.5 s with three leads each, and a rhythm strip of lead II below. */
const columns = [
  ['I', 'II', 'III'],
  ['aVR', 'aVL', 'aVF'],
  ['V1', 'V2', 'V3'],
  ['V4', 'V5', 'V6'],
] as const
const columnSeconds = 2.5
const rowMm = 30
const sheetSeconds = 10

/** Lays 12 leads out as 4 × 3 and a rhythm strip; others one below the other. */
export function ecgLayout(leads: readonly string[], signal: readonly Float32Array[], fs: number): EcgLayout {
  const names = leads.map(name => name.toLowerCase())
  const indexOf = (name: string): number => names.indexOf(name.toLowerCase())
  const recorded = Math.min(sheetSeconds, Math.max(...signal.map(({ length }) => length / fs), 1))
  const isStandard = columns.flat().every(name => indexOf(name) >= 0)
  const strips = isStandard
    ? [
        ...columns.flatMap((column, c) =>
          column.map((name, row) => ({
            lead: indexOf(name),
            fromSeconds: c * columnSeconds,
            seconds: columnSeconds,
            xMm: c * columnSeconds * paper.mmPerSecond,
            baselineMm: (row + 0.5) * rowMm,
          })),
        ),
        { lead: indexOf('II'), fromSeconds: 0, seconds: sheetSeconds, xMm: 0, baselineMm: 3.5 * rowMm },
      ]
    : leads.map((_, lead) => ({ lead, fromSeconds: 0, seconds: recorded, xMm: 0, baselineMm: (lead + 0.5) * rowMm }))
  const rows = isStandard ? 4 : leads.length
  return { strips, widthMm: (isStandard ? sheetSeconds : recorded) * paper.mmPerSecond, heightMm: rows * rowMm }
}

/** A piece of a lead as the path of an SVG; samples that are no numbers leave gaps. */
export function tracePath(
  signal: Float32Array,
  { strip, fs }: { readonly strip: EcgStrip; readonly fs: number },
): string {
  const first = Math.round(strip.fromSeconds * fs)
  const last = Math.min(signal.length, Math.round((strip.fromSeconds + strip.seconds) * fs))
  let path = ''
  let isDown = false
  for (let i = first; i < last; i++) {
    const value = signal[i]! // within the signal
    if (Number.isNaN(value)) {
      isDown = false
      continue
    }
    const x = strip.xMm + ((i - first) / fs) * paper.mmPerSecond
    path += `${isDown ? 'L' : 'M'}${x.toFixed(2)} ${(strip.baselineMm - value * paper.mmPerMv).toFixed(2)}`
    isDown = true
  }
  return path
}

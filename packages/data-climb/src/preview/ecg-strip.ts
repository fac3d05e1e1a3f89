import type { EcgRecording } from '../sample/sample.ts'
import { strokeText } from './stroke-font.ts'
import { svgNumber, type SvgDrawing } from './svg-drawing.ts'

/** Options of `ecgStrip`. */
export interface EcgStripOptions {
  /** Size of the drawing; 4 by default. */
  readonly pixelsPerMm?: number
}

/** The standard sheet: four columns of 2.5 s in three rows, and lead II in full under them. */
const standardRows = [
  ['I', 'aVR', 'V1', 'V4'],
  ['II', 'aVL', 'V2', 'V5'],
  ['III', 'aVF', 'V3', 'V6'],
] as const
const rhythmLead = 'II'
const sheetSeconds = 10

const mmPerSecond = 25
const mmPerMv = 10
const rowMm = 30
const marginMm = 10
const footMm = 8
const topMm = 7
/** A trace that leaves its row by more is cut, so that a broken lead does not cover the sheet. */
const overshootMm = 22

const paper = { ground: '#fff7f5', thin: '#f6d3cc', thick: '#e8a79b', ink: '#1a1a1a' }

/** One lead's place: `column` of `columns` in a row of the sheet. */
interface Trace {
  readonly lead: string
  readonly row: number
  readonly column: number
  readonly columns: number
}

/**
 * Draws a recording on millimetre paper as a cardiologist reads it: 25 mm/s, 10 mm/mV, with a calibration pulse of 1 mV.
 * A recording with the standard leads is laid out in four columns of 2.5 s with lead II in full under them; any other has
 * one row per lead. Every trace is centred on its median, and at most 10 s are drawn.
 */
export function ecgStrip(recording: EcgRecording, { pixelsPerMm = 4 }: EcgStripOptions = {}): SvgDrawing {
  const traces = layout(recording.leads)
  const rows = 1 + Math.max(0, ...traces.map(trace => trace.row))
  const widthMm = marginMm + sheetSeconds * mmPerSecond + 5
  const heightMm = topMm + rows * rowMm + footMm
  const unit = pixelsPerMm
  const pulses = Array.from({ length: rows }, (_, row) => calibrationPulse(row, unit)).join('')
  const body = [
    millimetrePaper(widthMm, heightMm, unit),
    ...traces.map(trace => traceOf(recording, trace, unit)),
    `<path d="${pulses}" fill="none" stroke="${paper.ink}" stroke-width="${svgNumber(unit * 0.3)}"/>`,
    strokeText('25 mm/s  10 mm/mV', { x: marginMm * unit, y: (heightMm - 3) * unit }, letters(unit)),
  ]
  return { width: widthMm * unit, height: heightMm * unit, body: body.join('') }
}

/** Where 0 mV of a row lies, from the top of the sheet. */
function baselineMm(row: number): number {
  return topMm + (row + 0.5) * rowMm
}

function letters(unit: number): { readonly size: number; readonly colour: string } {
  return { size: 2.8 * unit, colour: paper.ink }
}

function layout(leads: readonly string[]): Trace[] {
  const isStandard = standardRows.flat().every(lead => leads.includes(lead))
  if (!isStandard) return leads.map((lead, row) => ({ lead, row, column: 0, columns: 1 }))
  const grid = standardRows.flatMap((names, row) => names.map((lead, column) => ({ lead, row, column, columns: 4 })))
  return [...grid, { lead: rhythmLead, row: standardRows.length, column: 0, columns: 1 }]
}

function millimetrePaper(widthMm: number, heightMm: number, unit: number): string {
  const [width, height] = [widthMm * unit, heightMm * unit]
  const lines = (stepMm: number): string => {
    const across = Array.from(
      { length: Math.floor(widthMm / stepMm) + 1 },
      (_, i) => `M${i * stepMm * unit} 0V${height}`,
    )
    const down = Array.from({ length: Math.floor(heightMm / stepMm) + 1 }, (_, i) => `M0 ${i * stepMm * unit}H${width}`)
    return [...across, ...down].join('')
  }
  const grid = (stepMm: number, colour: string): string =>
    `<path d="${lines(stepMm)}" stroke="${colour}" stroke-width="${svgNumber(Math.max(0.5, unit * 0.12))}"/>`
  const ground = `<rect width="${width}" height="${height}" fill="${paper.ground}"/>`
  return `${ground}${unit >= 2 ? grid(1, paper.thin) : ''}${grid(5, paper.thick)}`
}

function calibrationPulse(row: number, unit: number): string {
  const base = baselineMm(row) * unit
  return `M${2 * unit} ${base}H${3 * unit}V${base - mmPerMv * unit}H${8 * unit}V${base}H${9 * unit}`
}

function traceOf({ leads, samplingRateHz, signalMv }: EcgRecording, trace: Trace, unit: number): string {
  const signal = signalMv[leads.indexOf(trace.lead)] ?? new Float32Array()
  const seconds = sheetSeconds / trace.columns
  const from = Math.round(trace.column * seconds * samplingRateHz)
  const part = signal.subarray(from, from + Math.round(seconds * samplingRateHz))
  const left = (marginMm + trace.column * seconds * mmPerSecond) * unit
  const base = baselineMm(trace.row) * unit
  const place = { x: left + unit, y: base - (rowMm / 2 - 4) * unit }
  const halo = strokeText(trace.lead, place, { ...letters(unit), colour: paper.ground, weight: 0.5 })
  const label = halo + strokeText(trace.lead, place, letters(unit))
  const d = pathOf(part, { left, base, unit, pixelsPerSample: (mmPerSecond * unit) / samplingRateHz })
  return `<path d="${d}" fill="none" stroke="${paper.ink}" stroke-linejoin="round" stroke-width="${svgNumber(unit * 0.3)}"/>${label}`
}

interface Placement {
  readonly left: number
  readonly base: number
  readonly unit: number
  readonly pixelsPerSample: number
}

/** A line through the lowest and the highest sample of every pixel column, in their order; nothing visible is lost. */
function pathOf(signal: Float32Array, { left, base, unit, pixelsPerSample }: Placement): string {
  const middle = medianOf(signal)
  const points: string[] = []
  const add = (i: number): void => {
    const mm = Math.max(-overshootMm, Math.min(overshootMm, (signal[i]! - middle) * mmPerMv)) // an index of the signal
    if (!Number.isNaN(mm)) points.push(`${svgNumber(left + i * pixelsPerSample)} ${svgNumber(base - mm * unit)}`)
  }
  const perPixel = Math.max(1, Math.floor(1 / pixelsPerSample))
  for (let start = 0; start < signal.length; start += perPixel) {
    const [first, second] = extremes(signal, start, Math.min(signal.length, start + perPixel))
    add(first)
    if (second !== first) add(second)
  }
  return points.length === 0 ? '' : `M${points.join('L')}`
}

function extremes(signal: Float32Array, start: number, end: number): [number, number] {
  let [low, high] = [start, start]
  for (let i = start + 1; i < end; i++) {
    if (signal[i]! < signal[low]!) low = i // indexes of the signal
    if (signal[i]! > signal[high]!) high = i // indexes of the signal
  }
  return low < high ? [low, high] : [high, low]
}

function medianOf(signal: Float32Array): number {
  const sorted = signal.filter(value => !Number.isNaN(value)).toSorted()
  return sorted[sorted.length >> 1] ?? 0
}

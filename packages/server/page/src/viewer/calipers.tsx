import { useRef } from 'preact/hooks'
import { paper } from './ecg-layout.ts'

/** Two places on the paper, in millimetres. */
export interface Caliper {
  readonly from: readonly [x: number, y: number]
  readonly to: readonly [x: number, y: number]
}

interface CalipersProps {
  readonly caliper: Caliper | undefined
  readonly widthMm: number
  readonly heightMm: number
  readonly onChange: (caliper: Caliper) => void
}

/** A sheet over the paper on which two lines are drawn with the mouse. */
export function Calipers({ caliper, widthMm, heightMm, onChange }: CalipersProps) {
  const start = useRef<Caliper['from']>(undefined)
  return (
    <g class="calipers">
      {caliper && (
        <path
          d={`M${caliper.from[0]} 0V${heightMm}M${caliper.to[0]} 0V${heightMm}M${caliper.from[0]} ${caliper.from[1]}H${caliper.to[0]}`}
        />
      )}
      <rect
        width={widthMm}
        height={heightMm}
        fill="transparent"
        onPointerDown={event => {
          start.current = placeOf(event)
          event.currentTarget.setPointerCapture(event.pointerId)
        }}
        onPointerMove={event => {
          if (start.current) onChange({ from: start.current, to: placeOf(event) })
        }}
        onPointerUp={() => {
          start.current = undefined
        }}
      />
    </g>
  )
}

/** Where a pointer is on the paper. */
function placeOf(event: PointerEvent): [number, number] {
  const svg = (event.currentTarget as SVGElement).ownerSVGElement // the sheet lies in one
  const matrix = svg?.getScreenCTM()?.inverse()
  const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix)
  return [x, y]
}

const unset: Caliper = { from: [0, 0], to: [0, 0] }

interface NumbersProps {
  readonly caliper: Caliper | undefined
  readonly onChange: (caliper: Caliper) => void
}

/** What the caliper measures, and fields to set it without a mouse. */
export function CaliperNumbers({ caliper, onChange }: NumbersProps) {
  const { from, to } = caliper ?? unset
  const moved = (end: 'from' | 'to', value: number): void => {
    if (!Number.isFinite(value)) return
    const x = value * paper.mmPerSecond
    onChange(end === 'from' ? { from: [x, from[1]], to: [to[0], to[1]] } : { from: [from[0], from[1]], to: [x, to[1]] })
  }
  return (
    <div class="window" role="group" aria-label="Caliper">
      {(['from', 'to'] as const).map(end => (
        <label key={end}>
          {end === 'from' ? 'From (s)' : 'To (s)'}
          <input
            type="number"
            step={0.01}
            min={0}
            value={seconds((end === 'from' ? from : to)[0])}
            onChange={event => moved(end, event.currentTarget.valueAsNumber)}
          />
        </label>
      ))}
      <output>{measured(from, to)}</output>
    </div>
  )
}

function seconds(x: number): number {
  return Math.round((x / paper.mmPerSecond) * 1000) / 1000
}

function measured(from: Caliper['from'], to: Caliper['from']): string {
  const apart = Math.abs(to[0] - from[0]) / paper.mmPerSecond
  if (apart === 0) return 'Nothing measured'
  const millivolts = (from[1] - to[1]) / paper.mmPerMv
  return `${Math.round(apart * 1000)} ms, ${Math.round(60 / apart)} per minute, ${millivolts.toFixed(2)} mV`
}

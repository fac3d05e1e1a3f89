import { useId, useMemo, useState } from 'preact/hooks'
import { bytesOf } from '../save-file.ts'
import type { ViewEcg } from '../server-documents.ts'
import { Calipers, CaliperNumbers, type Caliper } from './calipers.tsx'
import { ecgLayout, tracePath, type EcgStrip } from './ecg-layout.ts'

/** Paper of the standard: 25 mm a second, 10 mm a millivolt. The drawing is in millimetres. */
export function EcgPaper({ ecg }: { ecg: ViewEcg }) {
  const grid = useId()
  const [caliper, setCaliper] = useState<Caliper>()
  const signal = useMemo(() => ecg.samples_mv.map(text => new Float32Array(bytesOf(text).buffer)), [ecg])
  const { strips, widthMm, heightMm } = useMemo(() => ecgLayout(ecg.leads, signal, ecg.fs), [ecg, signal])
  return (
    <figure>
      <div class="paper" tabIndex={0} role="group" aria-label="ECG paper, scrolls sideways">
        <svg
          class="ecg"
          viewBox={`0 0 ${widthMm} ${heightMm}`}
          role="img"
          aria-label={`ECG of ${ecg.leads.length} leads, 25 mm a second, 10 mm a millivolt`}
        >
          <Grid id={grid} widthMm={widthMm} heightMm={heightMm} />
          {strips.map((strip, i) => (
            <Trace key={i} strip={strip} signal={signal[strip.lead]!} fs={ecg.fs} name={ecg.leads[strip.lead] ?? ''} />
          ))}
          <Calipers caliper={caliper} widthMm={widthMm} heightMm={heightMm} onChange={setCaliper} />
        </svg>
      </div>
      <figcaption>25 mm/s, 10 mm/mV. Drag on the paper to measure, or type where the caliper stands.</figcaption>
      <CaliperNumbers caliper={caliper} onChange={setCaliper} />
    </figure>
  )
}

interface GridProps {
  readonly id: string
  readonly widthMm: number
  readonly heightMm: number
}

function Grid({ id, widthMm, heightMm }: GridProps) {
  return (
    <>
      <defs>
        <pattern id={id} width="5" height="5" patternUnits="userSpaceOnUse">
          <path class="fine" d="M1 0V5M2 0V5M3 0V5M4 0V5M0 1H5M0 2H5M0 3H5M0 4H5" />
          <path class="coarse" d="M0 0H5M0 0V5" />
        </pattern>
      </defs>
      <rect class="sheet" width={widthMm} height={heightMm} />
      <rect class="grid" width={widthMm} height={heightMm} fill={`url(#${id})`} />
    </>
  )
}

interface TraceProps {
  readonly strip: EcgStrip
  readonly signal: Float32Array
  readonly fs: number
  readonly name: string
}

function Trace({ strip, signal, fs, name }: TraceProps) {
  return (
    <g class="trace" data-lead={name}>
      <path d={tracePath(signal, { strip, fs })} />
      <text x={strip.xMm + 1} y={strip.baselineMm - 9} font-size="4">
        {name}
      </text>
    </g>
  )
}

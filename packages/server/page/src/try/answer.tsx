import type { DiagnosisDocument } from '../server-documents.ts'
import { Downloads } from './downloads.tsx'

interface AnswerProps {
  readonly text: string
  readonly result: DiagnosisDocument | undefined
  readonly isRunning: boolean
}

/** The answer: while it is written, then its labels, probabilities, reasoning and warnings. */
export function Answer({ text, result, isRunning }: AnswerProps) {
  return (
    <>
      <h2>Answer</h2>
      <p role="status">{statusOf({ text, result, isRunning })}</p>
      {result ? <Finished result={result} /> : text !== '' && <pre class="stream">{text}</pre>}
    </>
  )
}

function statusOf({ text, result, isRunning }: AnswerProps): string {
  if (result) return result.labels.length > 0 ? `Answered: ${result.labels.join(', ')}` : 'Answered'
  if (isRunning) return text === '' ? 'Reading the files' : 'Writing'
  return text === '' ? 'Nothing asked yet' : 'Stopped'
}

function Finished({ result }: { result: DiagnosisDocument }) {
  const { labels, answer, probabilities, reasoning, boxes, warnings, timing_ms: timing, model, seed, notice } = result
  return (
    <>
      <ul class="labels" aria-label="Labels">
        {(labels.length > 0 ? labels : [answer ?? 'no answer in a box']).map(label => (
          <li key={label}>{label}</li>
        ))}
      </ul>
      {probabilities && <Probabilities probabilities={probabilities} chosen={labels} />}
      <h3>Reasoning</h3>
      <p class="reasoning">{reasoning ?? 'The answer has none.'}</p>
      {boxes.length > 0 && (
        <>
          <h3>Boxes</h3>
          <ul>
            {boxes.map(({ label, picture, bbox_2d: box }, i) => (
              <li key={i}>{`${label ?? 'no label'}, picture ${picture + 1}: ${box.join(', ')}`}</li>
            ))}
          </ul>
        </>
      )}
      {warnings.length > 0 && (
        <>
          <h3>Warnings</h3>
          <ul class="warnings">
            {warnings.map(warning => (
              <li key={warning}>{warning}</li>
            ))}
          </ul>
        </>
      )}
      <p class="small">{`${model}, seed ${seed}; decoding ${timing.decode} ms, answer ${timing.generate} ms, probabilities ${timing.score} ms. ${notice}.`}</p>
      <Downloads result={result} />
    </>
  )
}

interface ProbabilitiesProps {
  readonly probabilities: Readonly<Record<string, number>>
  readonly chosen: readonly string[]
}

function Probabilities({ probabilities, chosen }: ProbabilitiesProps) {
  const rows = Object.entries(probabilities).toSorted(([, a], [, b]) => b - a)
  return (
    <>
      <h3>Probabilities</h3>
      <ul class="bars">
        {rows.map(([label, share]) => (
          <li key={label} class={chosen.includes(label) ? 'chosen' : ''}>
            <span>{label}</span>
            <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
              <rect class="rail" width="100" height="8" />
              <rect class="bar" width={100 * share} height="8" />
            </svg>
            <span>{`${(100 * share).toFixed(1)} %`}</span>
          </li>
        ))}
      </ul>
    </>
  )
}

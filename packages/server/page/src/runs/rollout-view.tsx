import { boxesIn, BoxSketch, type AnswerPicture } from '../box-sketch.tsx'
import { domainTitle } from '../domain-title.ts'

/** An answer of training with what it earned, as the run's log has it. */
export interface Rollout extends AnswerPicture {
  readonly step?: number
  readonly index?: number
  readonly domain?: string
  readonly question?: string
  readonly response?: string
  readonly answer?: readonly string[]
  readonly reward?: number
  readonly parts?: Readonly<Record<string, number>>
  readonly advantage?: number
  readonly explanation?: { readonly words?: string }
  readonly seen?: { readonly width: number; readonly height: number }
}

/** One answer: the question, what the policy said, its boxes, and why it earned what it earned. */
export function RolloutView({ rollout }: { rollout: Rollout }) {
  const { step, index, domain, question, response, answer, reward, advantage, parts, explanation, seen } = rollout
  return (
    <details class="rollout">
      <summary>
        {`Step ${step ?? '?'}, answer ${index ?? '?'}, ${domainTitle(domain ?? 'unknown')}: reward ${number(reward)}, advantage ${number(advantage)}`}
      </summary>
      <p class="reasoning">{question}</p>
      <pre class="stream">{response}</pre>
      <BoxSketch
        boxes={boxesIn(response ?? '')}
        size={seen}
        picture={rollout.picture}
        no_picture={rollout.no_picture}
      />
      <p>{`Right: ${answer?.join(', ') ?? 'unknown'}`}</p>
      {parts && (
        <p>
          {Object.entries(parts)
            .map(([name, value]) => `${name} ${number(value)}`)
            .join(', ')}
        </p>
      )}
      <p>{explanation?.words}</p>
    </details>
  )
}

function number(value: number | undefined): string {
  return value === undefined ? 'unknown' : String(Math.round(value * 1000) / 1000)
}

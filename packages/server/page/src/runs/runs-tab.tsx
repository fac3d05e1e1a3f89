import { useEffect, useState } from 'preact/hooks'
import { FailureNote } from '../failure-note.tsx'
import { getJson } from '../server-api.ts'
import { NameSelect } from '../name-select.tsx'
import { useNamed } from '../use-named.ts'
import { LineChart, type ChartLine } from './line-chart.tsx'
import { RolloutView, type Rollout } from './rollout-view.tsx'

/** A step of a run's log, as far as the page draws it. */
interface Step {
  readonly step: number
  readonly stage?: string
  readonly rewardByDomain?: Readonly<Record<string, number>>
  readonly rewardParts?: Readonly<Record<string, number>>
  readonly [name: string]: unknown
}

interface RunDocument {
  readonly name: string
  readonly steps: readonly Step[]
  readonly rollouts: readonly Rollout[]
}

const measures = [
  ['reward', 'Reward'],
  ['loss', 'Loss'],
  ['kl', 'Divergence from the reference (KL)'],
  ['entropy', 'Entropy'],
  ['responseTokens', 'Tokens of an answer'],
  ['truncated', 'Share of answers cut off'],
  ['gradientNorm', 'Norm of the gradient'],
  ['tokensPerSecond', 'Tokens a second'],
] as const

/** Training runs of the folder that the server was given: curves, and the last answers with what they earned. */
export function RunsTab() {
  const { names, name, setName, failure, reload } = useNamed('/v1/runs')
  const [run, setRun] = useState<RunDocument>()
  const [runFailure, setRunFailure] = useState<unknown>()
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    if (name !== undefined) getJson<RunDocument>(`/v1/runs/${name}`).then(setRun, setRunFailure)
  }, [name, turn])
  if (names?.length === 0) return <p class="empty">No runs here. Start the server with --runs FOLDER.</p>
  return (
    <>
      <div class="actions">
        <NameSelect label="Run" names={names} name={name} onChoose={setName} />
        <button
          type="button"
          onClick={() => {
            reload()
            setTurn(turn + 1)
          }}
        >
          Read again
        </button>
      </div>
      <FailureNote failure={failure ?? runFailure} />
      {run && <Curves steps={run.steps} />}
      {run && run.rollouts.length > 0 && <Rollouts rollouts={run.rollouts} />}
    </>
  )
}

function Curves({ steps }: { steps: readonly Step[] }) {
  return (
    <div class="charts">
      <LineChart title="Reward by domain" lines={linesOf(steps, 'rewardByDomain')} />
      <LineChart title="Parts of the reward" lines={linesOf(steps, 'rewardParts')} />
      {measures.map(([field, title]) => (
        <LineChart key={field} title={title} lines={[{ name: title, points: pointsOf(steps, one => one[field]) }]} />
      ))}
    </div>
  )
}

function linesOf(steps: readonly Step[], field: 'rewardByDomain' | 'rewardParts'): ChartLine[] {
  const names = [...new Set(steps.flatMap(one => Object.keys(one[field] ?? {})))].toSorted()
  return names.map(name => ({ name, points: pointsOf(steps, one => one[field]?.[name]) }))
}

/** Steps are counted anew in every stage; what the log holds is drawn in its order. */
function pointsOf(steps: readonly Step[], valueOf: (step: Step) => unknown): ChartLine['points'] {
  return steps.flatMap((one, at) => {
    const value = valueOf(one)
    return typeof value === 'number' ? [[at + 1, value] as const] : []
  })
}

function Rollouts({ rollouts }: { rollouts: readonly Rollout[] }) {
  return (
    <section aria-label="Last answers">
      <h2>Last answers</h2>
      {rollouts.map((rollout, i) => (
        <RolloutView key={i} rollout={rollout} />
      ))}
    </section>
  )
}

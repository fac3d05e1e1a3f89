import { useEffect, useState } from 'preact/hooks'
import { getJson } from '../server-api.ts'
import type { DatasetRow } from '../server-documents.ts'

/** What is asked. */
export interface Question {
  readonly kind: 'dataset' | 'labels' | 'free'
  readonly dataset: string
  readonly labels: string
  readonly free: string
  readonly text: string
  readonly wantsProbabilities: boolean
}

/** A question that nobody has written yet. */
export const emptyQuestion: Question = {
  kind: 'dataset',
  dataset: '',
  labels: '',
  free: '',
  text: '',
  wantsProbabilities: true,
}

const kinds = [
  ['dataset', 'Labels of a dataset'],
  ['labels', 'Labels of your own'],
  ['free', 'A free question'],
] as const

/** The fields of a form that ask a question. */
export function questionFields(question: Question): [name: string, value: string][] {
  const { kind, dataset, free, text, wantsProbabilities } = question
  const labels = question.labels.split('\n').map(label => label.trim())
  return [
    ...(kind === 'dataset' && dataset !== '' ? ([['dataset', dataset]] as [string, string][]) : []),
    ...(kind === 'labels'
      ? labels.filter(label => label !== '').map((label): [string, string] => ['labels', label])
      : []),
    ...(kind === 'free' && free !== '' ? ([['question', free]] as [string, string][]) : []),
    ...(text === '' ? [] : ([['text', text]] as [string, string][])),
    ...(wantsProbabilities && kind !== 'free' ? ([['probabilities', 'true']] as [string, string][]) : []),
  ]
}

/** Chooses a dataset, labels or a question. */
export function QuestionForm({ question, onChange }: { question: Question; onChange: (question: Question) => void }) {
  const [datasets, setDatasets] = useState<readonly DatasetRow[]>([])
  useEffect(() => {
    getJson<{ data: readonly DatasetRow[] }>('/v1/datasets').then(
      ({ data }) => setDatasets(data),
      () => {},
    )
  }, [])
  const set = (part: Partial<Question>): void => onChange({ ...question, ...part })
  return (
    <fieldset>
      <legend>Question</legend>
      <div class="choices" role="radiogroup" aria-label="Kind of question">
        {kinds.map(([kind, title]) => (
          <label key={kind}>
            <input type="radio" name="kind" checked={question.kind === kind} onChange={() => set({ kind })} /> {title}
          </label>
        ))}
      </div>
      <QuestionField question={question} datasets={datasets} set={set} />
      <label>
        What else is known
        <textarea rows={2} value={question.text} onInput={event => set({ text: event.currentTarget.value })} />
      </label>
      {question.kind !== 'free' && (
        <label class="check">
          <input
            type="checkbox"
            checked={question.wantsProbabilities}
            onChange={event => set({ wantsProbabilities: event.currentTarget.checked })}
          />{' '}
          Probability of every label
        </label>
      )}
    </fieldset>
  )
}

interface FieldProps {
  readonly question: Question
  readonly datasets: readonly DatasetRow[]
  readonly set: (part: Partial<Question>) => void
}

function QuestionField({ question, datasets, set }: FieldProps) {
  if (question.kind === 'labels')
    return (
      <label>
        Labels, one a line
        <textarea rows={4} value={question.labels} onInput={event => set({ labels: event.currentTarget.value })} />
      </label>
    )
  if (question.kind === 'free')
    return (
      <label>
        Question
        <textarea rows={3} value={question.free} onInput={event => set({ free: event.currentTarget.value })} />
      </label>
    )
  return (
    <label>
      Dataset
      <select value={question.dataset} onChange={event => set({ dataset: event.currentTarget.value })}>
        <option value="">Choose one</option>
        {datasets.map(({ id, title }) => (
          <option key={id} value={id}>
            {title}
          </option>
        ))}
      </select>
    </label>
  )
}

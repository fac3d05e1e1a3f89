import { useEffect, useState } from 'preact/hooks'
import type { AnswerPicture } from '../box-sketch.tsx'
import { FailureNote } from '../failure-note.tsx'
import { getJson } from '../server-api.ts'
import { NameSelect } from '../name-select.tsx'
import { useNamed } from '../use-named.ts'
import { Annotation } from './annotation.tsx'
import { MetricTable, type EvaluationResults } from './metric-table.tsx'

/** An answer of an evaluation, with its reasoning taken apart. */
export interface EvaluatedAnswer extends AnswerPicture {
  readonly sampleId: string
  readonly dataset: string
  readonly question?: string
  readonly truth?: readonly string[]
  readonly predicted?: readonly string[]
  readonly response: string
  readonly boxes?: readonly unknown[]
  readonly statements: readonly string[]
}

interface EvaluationDocument {
  readonly name: string
  readonly results: EvaluationResults
  readonly answers: readonly EvaluatedAnswer[]
}

/** Evaluations of the folder that the server was given: metrics with intervals, and answers for people to grade. */
export function EvaluationsTab() {
  const { names, name, setName, failure } = useNamed('/v1/evaluations')
  const [evaluation, setEvaluation] = useState<EvaluationDocument>()
  const [readFailure, setReadFailure] = useState<unknown>()
  useEffect(() => {
    if (name !== undefined) getJson<EvaluationDocument>(`/v1/evaluations/${name}`).then(setEvaluation, setReadFailure)
  }, [name])
  if (names?.length === 0) return <p class="empty">No evaluations here. Start the server with --runs FOLDER.</p>
  return (
    <>
      <div class="actions">
        <NameSelect label="Evaluation" names={names} name={name} onChoose={setName} />
      </div>
      <FailureNote failure={failure ?? readFailure} />
      {evaluation && <MetricTable results={evaluation.results} />}
      {evaluation && <Annotation key={evaluation.name} answers={evaluation.answers} />}
    </>
  )
}

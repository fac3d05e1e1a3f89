import { useState } from 'preact/hooks'
import { BoxSketch, loggedBoxes } from '../box-sketch.tsx'
import { saveFile } from '../save-file.ts'
import type { EvaluatedAnswer } from './evaluations-tab.tsx'
import { boxGrades, gradeLines, grades, type GivenGrades } from './grade-lines.ts'
import { GradeChoice } from './grade-choice.tsx'

/** Lets a person grade every statement of the reasoning (D.4.2) and every box, and save what `qoq eval grades` reads. */
export function Annotation({ answers }: { answers: readonly EvaluatedAnswer[] }) {
  const [rater, setRater] = useState('')
  const [given, setGiven] = useState<GivenGrades>({})
  const [shown, setShown] = useState(0)
  const answer = answers[shown]
  if (!answer) return null
  const grade = (key: string, value: string): void => setGiven({ ...given, [key]: value })
  const lines = gradeLines(answers, { rater, given })
  const boxes = lines.boxes.length
  return (
    <section aria-label="Annotation">
      <h2>Grade the answers</h2>
      <div class="actions">
        <label>
          Your name or initials
          <input type="text" value={rater} onInput={event => setRater(event.currentTarget.value)} />
        </label>
        <button type="button" disabled={shown === 0} onClick={() => setShown(shown - 1)}>
          Previous
        </button>
        <button type="button" disabled={shown === answers.length - 1} onClick={() => setShown(shown + 1)}>
          Next
        </button>
        <span role="status">{`Answer ${shown + 1} of ${answers.length}; ${lines.statements.length + boxes} grades given`}</span>
        <SaveLines name="grades" rater={rater} lines={lines.statements} title="Save grades" />
        {boxes > 0 && <SaveLines name="box-grades" rater={rater} lines={lines.boxes} title="Save grades of boxes" />}
      </div>
      <GradedAnswer answer={answer} given={given} onGrade={grade} />
    </section>
  )
}

interface GradedAnswerProps {
  readonly answer: EvaluatedAnswer
  readonly given: GivenGrades
  readonly onGrade: (key: string, value: string) => void
}

function GradedAnswer({ answer, given, onGrade }: GradedAnswerProps) {
  const { sampleId, question, truth, predicted, statements, response, boxes = [] } = answer
  return (
    <article>
      <p class="reasoning">{question}</p>
      <p>{`Answered ${predicted?.join(', ') || 'nothing'}; right is ${truth?.join(', ') ?? 'unknown'}.`}</p>
      {statements.length === 0 && <pre class="stream">{response}</pre>}
      {statements.map((text, i) => {
        const key = `${sampleId}#${i}`
        return <GradeChoice key={key} name={key} text={text} choices={grades} value={given[key]} onGrade={onGrade} />
      })}
      <BoxSketch boxes={loggedBoxes(boxes)} size={undefined} picture={answer.picture} no_picture={answer.no_picture} />
      {boxes.map((_, i) => {
        const key = `${sampleId}#box-${i}`
        const text = `Box ${i + 1}`
        return <GradeChoice key={key} name={key} text={text} choices={boxGrades} value={given[key]} onGrade={onGrade} />
      })}
    </article>
  )
}

interface SaveLinesProps {
  readonly name: string
  readonly title: string
  readonly rater: string
  readonly lines: readonly object[]
}

function SaveLines({ name, title, rater, lines }: SaveLinesProps) {
  const file = `${name}-${rater.trim().replaceAll(/[^\p{L}\p{N}]+/gu, '-')}.jsonl`
  const save = (): void => saveFile(file, 'application/jsonl', lines.map(one => `${JSON.stringify(one)}\n`).join(''))
  return (
    <button type="button" class="primary" disabled={rater.trim() === '' || lines.length === 0} onClick={save}>
      {title}
    </button>
  )
}

import { useRef, useState } from 'preact/hooks'
import { FailureNote } from '../failure-note.tsx'
import { formEvents } from '../server-api.ts'
import type { DiagnosisDocument, DiagnosisEvent } from '../server-documents.ts'
import { MediaViewer } from '../viewer/media-viewer.tsx'
import { useView } from '../viewer/use-view.ts'
import { Answer } from './answer.tsx'
import { History, useHistory } from './history.tsx'
import { PatientPicker, type Patient } from './patient-picker.tsx'
import { emptyQuestion, QuestionForm, questionFields, type Question } from './question-form.tsx'

/** Choose a patient, ask, watch the answer come, see where it points. */
export function TryTab() {
  const [patient, setPatient] = useState<Patient>({ files: [] })
  const [question, setQuestion] = useState<Question>(emptyQuestion)
  const { view, window, setWindow, failure: viewFailure } = useView(patient.files)
  const { state, ask, stop, forget } = useDiagnosis()
  const history = useHistory()
  const picked = (next: Patient): void => {
    forget()
    setPatient(next)
    if (next.dataset !== undefined) setQuestion({ ...question, kind: 'dataset', dataset: next.dataset })
  }
  const asked = async (): Promise<void> => {
    const result = await ask(diagnosisForm(patient, { question, window }))
    if (result) history.add(result)
  }
  return (
    <div class="try">
      <section class="ask" aria-label="Patient and question">
        <PatientPicker patient={patient} onPick={picked} />
        <QuestionForm question={question} onChange={setQuestion} />
        <div class="actions">
          <button type="button" class="primary" disabled={state.isRunning} onClick={() => void asked()}>
            Ask the model
          </button>
          <button type="button" disabled={!state.isRunning} onClick={stop}>
            Stop
          </button>
        </div>
        <FailureNote failure={state.failure ?? viewFailure} />
      </section>
      <section class="see" aria-label="What the model sees">
        <MediaViewer view={view} result={state.result} window={window} onWindow={setWindow} />
      </section>
      <section class="answer" aria-label="Answer">
        <Answer text={state.text} result={state.result} isRunning={state.isRunning} />
        <History entries={history.entries} onClear={history.clear} />
      </section>
    </div>
  )
}

function diagnosisForm(
  { files }: Patient,
  { question, window }: { readonly question: Question; readonly window: string | undefined },
): FormData {
  const form = new FormData()
  for (const [name, value] of questionFields(question)) form.append(name, value)
  if (window !== undefined) form.append('window', window)
  for (const one of ['fhir', 'dicom_sr']) form.append('include', one)
  form.append('stream', 'true')
  for (const file of files) form.append('file', file, file.name)
  return form
}

interface DiagnosisState {
  readonly isRunning: boolean
  readonly text: string
  readonly result?: DiagnosisDocument
  readonly failure?: unknown
}

const idle: DiagnosisState = { isRunning: false, text: '' }

function useDiagnosis() {
  const [state, setState] = useState<DiagnosisState>(idle)
  const running = useRef<AbortController>(undefined)
  const stop = (): void => running.current?.abort()
  const ask = async (form: FormData): Promise<DiagnosisDocument | undefined> => {
    stop()
    const controller = new AbortController()
    running.current = controller
    let text = ''
    setState({ isRunning: true, text })
    try {
      for await (const event of formEvents<DiagnosisEvent>('/v1/diagnose', form, controller.signal)) {
        if (event.type === 'result') {
          setState({ isRunning: false, text, result: event })
          return event
        }
        text += event.text
        setState({ isRunning: true, text })
      }
      setState({ isRunning: false, text })
    } catch (failure) {
      setState({ isRunning: false, text, ...(!controller.signal.aborted && { failure }) })
    }
    return undefined
  }
  const forget = (): void => {
    stop()
    setState(idle)
  }
  return { state, ask, stop, forget }
}

import { useEffect, useState } from 'preact/hooks'
import { domainTitle } from '../domain-title.ts'
import { FailureNote } from '../failure-note.tsx'
import { getJson } from '../server-api.ts'
import type { ExampleRow } from '../server-documents.ts'

/** Files to ask about. */
export interface Patient {
  readonly files: readonly File[]
  /** Dataset whose question fits, where it is known. */
  readonly dataset?: string
  /** What an example has, for whoever tries it. */
  readonly truth?: string
}

/** Takes files, or a simulated patient. */
export function PatientPicker({ patient, onPick }: { patient: Patient; onPick: (patient: Patient) => void }) {
  const [examples, setExamples] = useState<readonly ExampleRow[]>([])
  const [failure, setFailure] = useState<unknown>()
  useEffect(() => {
    getJson<{ data: readonly ExampleRow[] }>('/v1/examples').then(({ data }) => setExamples(data), setFailure)
  }, [])
  const own = (list: FileList | null | undefined): void => {
    if (list && list.length > 0) onPick({ files: [...list] })
  }
  return (
    <fieldset>
      <legend>Patient</legend>
      <label
        class="drop"
        onDragOver={event => event.preventDefault()}
        onDrop={event => {
          event.preventDefault()
          own(event.dataTransfer?.files)
        }}
      >
        <span>Drop pictures, DICOM, NIfTI, video or ECG files here, or choose them</span>
        <input
          type="file"
          multiple
          onChange={event => {
            own(event.currentTarget.files)
            event.currentTarget.value = '' // the name of a file would stay beside another patient
          }}
        />
      </label>
      <p id="examples">Or a simulated patient:</p>
      <div class="examples" role="group" aria-labelledby="examples">
        {examples.map(example => (
          <button key={example.id} type="button" onClick={() => void pickExample(example).then(onPick, setFailure)}>
            {domainTitle(example.domain)}
          </button>
        ))}
      </div>
      {patient.files.length > 0 && <p role="status">{saidOf(patient)}</p>}
      <FailureNote failure={failure} />
    </fieldset>
  )
}

function saidOf({ files, truth }: Patient): string {
  const count = files.length === 1 ? '1 file' : `${files.length} files`
  return truth === undefined ? `${count} chosen` : `${count} of a simulated patient with: ${truth}`
}

async function pickExample({ id, files, dataset, labels }: ExampleRow): Promise<Patient> {
  const fetched = files.map(async name => {
    const response = await fetch(`/v1/examples/${id}/${encodeURIComponent(name)}`)
    return new File([await response.blob()], name)
  })
  return { files: await Promise.all(fetched), dataset, truth: labels.join(', ') }
}

import { bytesOf, saveFile } from '../save-file.ts'
import type { DiagnosisDocument } from '../server-documents.ts'
import { picturePng } from '../viewer/picture-png.ts'

/** Saves the answer: as JSON, FHIR, a DICOM report where the pictures are DICOM, and the shown picture with its boxes. */
export function Downloads({ result }: { result: DiagnosisDocument }) {
  const { documents = {}, ...answer } = result
  const { fhir, dicom_sr: report } = documents
  return (
    <div class="actions" role="group" aria-label="Downloads">
      <button type="button" onClick={() => saveFile('diagnosis.json', 'application/json', json(answer))}>
        JSON
      </button>
      {fhir && (
        <button type="button" onClick={() => saveFile('diagnosis.fhir.json', 'application/fhir+json', json(fhir))}>
          FHIR
        </button>
      )}
      {report && (
        <button type="button" onClick={() => saveFile('diagnosis.dcm', 'application/dicom', bytesOf(report))}>
          DICOM SR
        </button>
      )}
      <button type="button" onClick={() => void savePicture()}>
        PNG
      </button>
    </div>
  )
}

function json(value: object): string {
  return JSON.stringify(value, null, 2)
}

async function savePicture(): Promise<void> {
  const drawing = document.querySelector<SVGSVGElement>('.see svg.picture, .see svg.ecg')
  const png = drawing && (await picturePng(drawing))
  if (png) saveFile('diagnosis.png', 'image/png', png)
}

import type { DiagnosisDocument, ViewDocument } from '../server-documents.ts'
import { EcgPaper } from './ecg-paper.tsx'
import { PictureViewer, type PlacedBox } from './picture-viewer.tsx'

interface MediaViewerProps {
  readonly view: ViewDocument | undefined
  readonly result: DiagnosisDocument | undefined
  readonly window: string | undefined
  readonly onWindow: (window: string | undefined) => void
}

/** Shows every picture, volume and ECG of a patient as the model sees it. */
export function MediaViewer({ view, result, window, onWindow }: MediaViewerProps) {
  if (!view) return <p class="empty">Choose a patient to see what the model sees.</p>
  return (
    <>
      {view.groups.map(({ pictures }, i) => (
        <PictureViewer
          key={i}
          pictures={pictures}
          boxes={boxesOf(result, pictures)}
          ownWindow={view.window}
          window={window}
          onWindow={onWindow}
        />
      ))}
      {view.ecgs.map((ecg, i) => (
        <EcgPaper key={i} ecg={ecg} />
      ))}
      {view.warnings.length > 0 && (
        <ul class="warnings">
          {view.warnings.map(warning => (
            <li key={warning}>{warning}</li>
          ))}
        </ul>
      )}
    </>
  )
}

/** The boxes of an answer with the slice or frame that they lie in, as far as this group shows it. */
function boxesOf(
  result: DiagnosisDocument | undefined,
  pictures: ViewDocument['groups'][number]['pictures'],
): PlacedBox[] {
  const files = new Set(pictures.map(({ file }) => file))
  return (result?.boxes ?? []).flatMap(({ picture, label, bbox_2d: box }) => {
    const place = result?.pictures[picture]
    return place && files.has(place.file) ? [{ position: place.position, label, box }] : []
  })
}

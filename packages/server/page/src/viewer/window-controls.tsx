import type { ViewDocument } from '../server-documents.ts'

type Window = NonNullable<ViewDocument['window']>

/** Windows by their names in radiology, as center/width in Hounsfield units. */
const presets = [
  ['file', 'As the file says'],
  ['40/400', 'Soft tissue'],
  ['-600/1500', 'Lung'],
  ['400/1800', 'Bone'],
  ['40/80', 'Brain'],
  ['80/700', 'Angiogram'],
] as const

interface WindowControlsProps {
  readonly current: Window
  readonly onWindow: (window: string | undefined) => void
}

/** The window as numbers and presets, for who has no mouse. */
export function WindowControls({ current, onWindow }: WindowControlsProps) {
  const { center, width } = current
  const changed = (next: Window): void => {
    if (Number.isFinite(next.center) && next.width > 0) onWindow(`${next.center}/${next.width}`)
  }
  return (
    <div class="window" role="group" aria-label="Window">
      <label>
        Center
        <input
          type="number"
          step="any"
          value={center}
          onChange={event => changed({ center: event.currentTarget.valueAsNumber, width })}
        />
      </label>
      <label>
        Width
        <input
          type="number"
          step="any"
          min={0}
          value={width}
          onChange={event => changed({ center, width: event.currentTarget.valueAsNumber })}
        />
      </label>
      <label>
        Preset
        <select
          onChange={event => onWindow(event.currentTarget.value === 'file' ? undefined : event.currentTarget.value)}
        >
          {presets.map(([id, title]) => (
            <option key={id} value={id}>
              {title}
            </option>
          ))}
        </select>
      </label>
    </div>
  )
}

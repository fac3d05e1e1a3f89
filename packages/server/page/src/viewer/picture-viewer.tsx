import { useEffect, useMemo, useState } from 'preact/hooks'
import type { ViewDocument, ViewPicture } from '../server-documents.ts'
import { pictureUrl } from './picture-url.ts'
import { usePanZoom } from './use-pan-zoom.ts'
import { WindowControls } from './window-controls.tsx'

/** A box in pixels of the picture at a position of its file. */
export interface PlacedBox {
  readonly position: number
  readonly label: string | null
  readonly box: readonly [number, number, number, number]
}

interface PictureViewerProps {
  readonly pictures: readonly ViewPicture[]
  readonly boxes: readonly PlacedBox[]
  /** The window that the file starts with; none where its pixels have no window. */
  readonly ownWindow: ViewDocument['window']
  readonly window: string | undefined
  readonly onWindow: (window: string | undefined) => void
}

type Tool = 'pan' | 'window'

/** A picture with its boxes: pan, zoom, window by the mouse, and a slider through slices and frames. */
export function PictureViewer({ pictures, boxes, ownWindow, window, onWindow }: PictureViewerProps) {
  const [at, setAt] = useState(Math.floor(pictures.length / 2))
  const [tool, setTool] = useState<Tool>('pan')
  const picture = pictures[Math.min(at, pictures.length - 1)]!
  const url = useMemo(() => pictureUrl(picture), [picture])
  const current = parsedWindow(window) ?? ownWindow
  // The first box is what there is to see.
  const firstBox = pictures.findIndex(({ position }) => position === boxes[0]?.position)
  useEffect(() => {
    if (firstBox >= 0) setAt(firstBox)
  }, [firstBox])
  const { viewBox, handlers, zoomBy, reset } = usePanZoom(picture, (dx, dy) => {
    if (tool !== 'window' || !current) return false
    onWindow(movedWindow(current, [dx, dy]))
    return true
  })
  const shown = boxes.filter(({ position }) => position === picture.position)
  const unit = picture.kind === 'video' ? 'Frame' : 'Slice'
  return (
    <figure>
      <svg
        class={`picture ${tool}`}
        viewBox={viewBox}
        tabIndex={0}
        role="img"
        aria-label={`Picture ${picture.width} by ${picture.height} pixels, ${shown.length} boxes; arrow keys move it, plus and minus zoom`}
        {...handlers}
      >
        <image href={url} width={picture.width} height={picture.height} />
        {shown.map((one, i) => (
          <Box key={i} box={one} picture={picture} />
        ))}
      </svg>
      <figcaption class="actions">
        <button type="button" onClick={() => zoomBy(1.25)} aria-label="Zoom in">
          +
        </button>
        <button type="button" onClick={() => zoomBy(0.8)} aria-label="Zoom out">
          −
        </button>
        <button type="button" onClick={reset}>
          Whole picture
        </button>
        {ownWindow && (
          <button
            type="button"
            aria-pressed={tool === 'window'}
            onClick={() => setTool(tool === 'pan' ? 'window' : 'pan')}
          >
            Mouse sets window
          </button>
        )}
      </figcaption>
      {pictures.length > 1 && (
        <label class="slider">
          {`${unit} ${picture.position + 1} of ${picture.length}`}
          <input
            type="range"
            min={0}
            max={pictures.length - 1}
            value={at}
            onInput={event => setAt(Number(event.currentTarget.value))}
          />
        </label>
      )}
      {ownWindow && <WindowControls current={current ?? ownWindow} onWindow={onWindow} />}
    </figure>
  )
}

function Box({ box: { box, label }, picture }: { box: PlacedBox; picture: ViewPicture }) {
  const [x1, y1, x2, y2] = box
  const size = Math.max(picture.width, picture.height)
  return (
    <g class="box">
      <rect x={x1} y={y1} width={x2 - x1} height={y2 - y1} vector-effect="non-scaling-stroke" />
      <text x={x1} y={Math.max(size / 30, y1 - size / 100)} font-size={size / 30}>
        {label}
      </text>
    </g>
  )
}

/** As radiologists are used to: right widens, down brightens. */
function movedWindow(
  { center, width }: NonNullable<ViewDocument['window']>,
  [dx, dy]: readonly [number, number],
): string {
  const step = width / 200
  return `${rounded(center - dy * step)}/${rounded(Math.max(step, width + dx * step * 2))}`
}

function parsedWindow(window: string | undefined): ViewDocument['window'] | undefined {
  const [center, width] = (window ?? '').split('/').map(Number)
  return width !== undefined && Number.isFinite(center) && Number.isFinite(width)
    ? { center: center!, width }
    : undefined
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}

import { useEffect, useRef, useState } from 'preact/hooks'

interface Size {
  readonly width: number
  readonly height: number
}

/** What of a picture is shown, in its pixels. */
interface Shown {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

const keySteps: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
}
const minShown = 8

/**
 * Lets an SVG be moved and zoomed by mouse, touch and keyboard.
 *
 * @param takesDrag is told of a drag in pixels of the screen since the last call; true where it used it for something else
 */
export function usePanZoom({ width, height }: Size, takesDrag: (dx: number, dy: number) => boolean) {
  const [shown, setShown] = useState<Shown>({ x: 0, y: 0, width, height })
  const drag = useRef<readonly [number, number]>(undefined)
  const reset = (): void => setShown({ x: 0, y: 0, width, height })
  useEffect(reset, [width, height])
  const zoomBy = (factor: number): void => setShown(one => zoomed(one, factor, { width, height }))
  const moveBy = (dx: number, dy: number): void => setShown(one => ({ ...one, x: one.x + dx, y: one.y + dy }))
  const handlers = {
    onPointerDown: (event: PointerEvent): void => {
      drag.current = [event.clientX, event.clientY]
      ;(event.currentTarget as Element).setPointerCapture(event.pointerId) // where the handler hangs
    },
    onPointerMove: (event: PointerEvent): void => {
      if (!drag.current) return
      const [dx, dy] = [event.clientX - drag.current[0], event.clientY - drag.current[1]]
      drag.current = [event.clientX, event.clientY]
      const scale = shown.width / (event.currentTarget as Element).clientWidth // where the handler hangs
      if (!takesDrag(dx, dy)) moveBy(-dx * scale, -dy * scale)
    },
    onPointerUp: (): void => {
      drag.current = undefined
    },
    onKeyDown: (event: KeyboardEvent): void => {
      const step = keySteps[event.key]
      if (step) moveBy((step[0] * shown.width) / 10, (step[1] * shown.height) / 10)
      else if (event.key === '+' || event.key === '=') zoomBy(1.25)
      else if (event.key === '-') zoomBy(0.8)
      else if (event.key === '0') reset()
      else return
      event.preventDefault()
    },
  }
  return { viewBox: `${shown.x} ${shown.y} ${shown.width} ${shown.height}`, handlers, zoomBy, reset }
}

/** Keeps the middle where it is. */
function zoomed({ x, y, width, height }: Shown, factor: number, whole: Size): Shown {
  const next = Math.min(whole.width, Math.max(minShown, width / factor))
  const nextHeight = (next / width) * height
  return { x: x + (width - next) / 2, y: y + (height - nextHeight) / 2, width: next, height: nextHeight }
}

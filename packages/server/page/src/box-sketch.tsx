import { useEffect, useState } from 'preact/hooks'

type Box = readonly [x1: number, y1: number, x2: number, y2: number]

interface Size {
  readonly width: number
  readonly height: number
}

/** What the server says of the picture of an answer: where it is, or why there is none. */
export interface AnswerPicture {
  readonly picture?: string | undefined
  readonly no_picture?: string | undefined
}

interface BoxSketchProps extends AnswerPicture {
  readonly boxes: readonly Box[]
  /** The pixels that the boxes are counted in; those of the picture itself where it is missing. */
  readonly size: Size | undefined
}

/** The boxes of an answer over its picture; within an empty frame, and with the reason, where the picture is not to be had. */
export function BoxSketch({ boxes, size, picture, no_picture: reason }: BoxSketchProps) {
  const { found, failed } = usePicture(picture)
  if (boxes.length === 0 && picture === undefined) return null
  const { width, height } = size ?? found ?? frameOf(boxes)
  return (
    <figure class="sketched">
      <svg class="sketch" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={wordsOf(boxes.length, found)}>
        <rect class="frame" width={width} height={height} />
        {found && <image href={picture} width={width} height={height} preserveAspectRatio="none" />}
        {boxes.map(([x1, y1, x2, y2], i) => (
          <rect
            key={i}
            class="mark"
            x={x1}
            y={y1}
            width={x2 - x1}
            height={y2 - y1}
            vector-effect="non-scaling-stroke"
          />
        ))}
      </svg>
      {(failed || picture === undefined) && (
        <figcaption>{reason ?? 'The picture cannot be shown: it is gone, or the key may not see it.'}</figcaption>
      )}
    </figure>
  )
}

/** Loads a picture to know its size. */
function usePicture(picture: string | undefined): { readonly found: Size | undefined; readonly failed: boolean } {
  const [found, setFound] = useState<Size>()
  const [failed, setFailed] = useState(false)
  useEffect(() => {
    setFound(undefined)
    setFailed(false)
    if (picture === undefined) return undefined
    const image = new Image()
    image.addEventListener('load', () => setFound({ width: image.naturalWidth, height: image.naturalHeight }))
    image.addEventListener('error', () => setFailed(true))
    image.src = picture
    return () => image.removeAttribute('src')
  }, [picture])
  return { found, failed }
}

function wordsOf(boxes: number, picture: Size | undefined): string {
  const counted = boxes === 1 ? '1 box of the answer' : `${boxes} boxes of the answer`
  return picture ? `The picture that was asked about, with ${counted}` : counted
}

/** A frame that holds all boxes. */
function frameOf(boxes: readonly Box[]): Size {
  return { width: Math.max(1, ...boxes.map(([, , x2]) => x2)), height: Math.max(1, ...boxes.map(([, , , y2]) => y2)) }
}

/** Boxes as policies write them: `"bbox_2d": [x1, y1, x2, y2]`. */
export function boxesIn(response: string): Box[] {
  const number = String.raw`\s*(-?\d+(?:\.\d+)?)\s*`
  const pattern = new RegExp(String.raw`"bbox_2d"\s*:\s*\[${number},${number},${number},${number}\]`, 'g')
  return [...response.matchAll(pattern)]
    .map(([, ...values]): Box => {
      const [x1, y1, x2, y2] = values.map(Number)
      return [x1!, y1!, x2!, y2!] // the pattern has four
    })
    .filter(isBox)
}

/** Boxes of the first picture as the log of an evaluation has them: [x1, y1, x2, y2], and the picture where it is not the first. */
export function loggedBoxes(boxes: readonly unknown[]): Box[] {
  return boxes.flatMap(box => {
    const [x1, y1, x2, y2, image = 0] = Array.isArray(box) ? box.map(Number) : []
    const read: Box = [x1 ?? 0, y1 ?? 0, x2 ?? 0, y2 ?? 0]
    return image === 0 && isBox(read) ? [read] : []
  })
}

function isBox([x1, y1, x2, y2]: Box): boolean {
  return x2 > x1 && y2 > y1
}

interface BoxSketchProps {
  readonly response: string
  readonly size: { readonly width: number; readonly height: number } | undefined
}

/** The boxes of a response within the frame of its picture, where the picture itself is not kept. */
export function BoxSketch({ response, size }: BoxSketchProps) {
  const boxes = boxesIn(response)
  if (boxes.length === 0) return null
  const width = size?.width ?? Math.max(...boxes.map(([, , x2]) => x2))
  const height = size?.height ?? Math.max(...boxes.map(([, , , y2]) => y2))
  return (
    <svg
      class="sketch"
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={`${boxes.length} boxes of the answer`}
    >
      <rect class="frame" width={width} height={height} />
      {boxes.map(([x1, y1, x2, y2], i) => (
        <rect key={i} class="mark" x={x1} y={y1} width={x2 - x1} height={y2 - y1} vector-effect="non-scaling-stroke" />
      ))}
    </svg>
  )
}

/** Boxes as policies write them: `"bbox_2d": [x1, y1, x2, y2]`. */
function boxesIn(response: string): [number, number, number, number][] {
  const number = String.raw`\s*(-?\d+(?:\.\d+)?)\s*`
  const pattern = new RegExp(String.raw`"bbox_2d"\s*:\s*\[${number},${number},${number},${number}\]`, 'g')
  return [...response.matchAll(pattern)]
    .map(([, ...values]): [number, number, number, number] => {
      const [x1, y1, x2, y2] = values.map(Number)
      return [x1!, y1!, x2!, y2!] // the pattern has four
    })
    .filter(([x1, y1, x2, y2]) => x2 > x1 && y2 > y1)
}

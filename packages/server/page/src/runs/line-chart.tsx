/** A line by its name: x rises. */
export interface ChartLine {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

const size = { width: 420, height: 180, left: 54, right: 8, top: 8, bottom: 24 } as const

/** Lines over the steps of a run, with their values at the end in words. */
export function LineChart({ title, lines }: { title: string; lines: readonly ChartLine[] }) {
  const points = lines.flatMap(line => line.points)
  if (points.length === 0) return null
  const scale = scaleOf(points)
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <svg viewBox={`0 0 ${size.width} ${size.height}`} role="img" aria-label={`${title}: ${wordsOf(lines)}`}>
        <path class="axis" d={`M${size.left} ${size.top}V${size.height - size.bottom}H${size.width - size.right}`} />
        <text x={size.left - 4} y={size.top + 8} text-anchor="end">
          {short(scale.yMax)}
        </text>
        <text x={size.left - 4} y={size.height - size.bottom} text-anchor="end">
          {short(scale.yMin)}
        </text>
        <text x={size.left} y={size.height - 6}>
          {scale.xMin}
        </text>
        <text x={size.width - size.right} y={size.height - 6} text-anchor="end">
          {`step ${scale.xMax}`}
        </text>
        {lines.map((line, i) => (
          <path key={line.name} class={`line line-${i % 8}`} d={pathOf(line, scale)} />
        ))}
      </svg>
      {lines.length > 1 && (
        <ul class="legend">
          {lines.map(({ name }, i) => (
            <li key={name} class={`line-${i % 8}`}>
              {name.replaceAll('_', ' ')}
            </li>
          ))}
        </ul>
      )}
    </figure>
  )
}

interface Scale {
  readonly xMin: number
  readonly xMax: number
  readonly yMin: number
  readonly yMax: number
}

function scaleOf(points: ChartLine['points']): Scale {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)]
  return { xMin: Math.min(...xs), xMax: Math.max(...xs), yMin: Math.min(...ys), yMax: Math.max(...ys) }
}

function pathOf({ points }: ChartLine, { xMin, xMax, yMin, yMax }: Scale): string {
  const [width, height] = [size.width - size.left - size.right, size.height - size.top - size.bottom]
  return points
    .map(([x, y], i) => {
      const left = size.left + width * shareOf(x, [xMin, xMax])
      const top = size.top + height * (1 - shareOf(y, [yMin, yMax]))
      return `${i === 0 ? 'M' : 'L'}${left.toFixed(1)} ${top.toFixed(1)}`
    })
    .join('')
}

/** How far a value is from the low end to the high one. */
function shareOf(value: number, [low, high]: readonly [number, number]): number {
  return high > low ? (value - low) / (high - low) : 0.5
}

function wordsOf(lines: readonly ChartLine[]): string {
  return lines
    .map(
      ({ name, points }) =>
        `${name.replaceAll('_', ' ')} from ${short(points[0]?.[1])} to ${short(points.at(-1)?.[1])}`,
    )
    .join('; ')
}

function short(value: number | undefined): string {
  return value === undefined ? 'nothing' : String(Number(value.toPrecision(3)))
}

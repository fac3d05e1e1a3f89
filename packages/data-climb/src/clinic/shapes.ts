import { pictureSize, type Bounds, type Coverage } from './canvas.ts'
import type { RandomStream } from './random-stream.ts'

/** An ellipse: centre, radii in pixels, turn in radians. */
export interface EllipseSpec {
  readonly cx: number
  readonly cy: number
  readonly rx: number
  readonly ry: number
  readonly turn?: number
  /** Width of the edge as a share of the radius. */
  readonly softness?: number
}

/** A filled ellipse. */
export function ellipse({ cx, cy, rx, ry, turn = 0, softness = 0.12 }: EllipseSpec): Coverage {
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)]
  const reach = 1 + softness
  const cover = (x: number, y: number) => {
    const u = ((x - cx) * cos + (y - cy) * sin) / rx
    const v = ((y - cy) * cos - (x - cx) * sin) / ry
    const square = u * u + v * v
    return square > reach * reach ? 0 : edge((1 - Math.sqrt(square)) / softness)
  }
  const [width, height] = [Math.hypot(rx * cos, ry * sin) * reach, Math.hypot(rx * sin, ry * cos) * reach]
  return bounded(cover, { x1: cx - width, y1: cy - height, x2: cx + width, y2: cy + height })
}

/** Radii up to which the outline of a blob may reach. */
const maxReach = 1.7

function bounded(cover: (x: number, y: number) => number, bounds: Bounds | undefined): Coverage {
  return bounds === undefined ? cover : Object.assign(cover, { bounds })
}

/** An ellipse whose radius varies with the angle: `radius(angle)` multiplies it. */
export function blob(
  { cx, cy, rx, ry, turn = 0, softness = 0.12 }: EllipseSpec,
  radius: (angle: number) => number,
): Coverage {
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)]
  const reach = Math.max(rx, ry) * maxReach
  const cover = (x: number, y: number) => {
    const u = ((x - cx) * cos + (y - cy) * sin) / rx
    const v = ((y - cy) * cos - (x - cx) * sin) / ry
    const distance = Math.sqrt(u * u + v * v)
    return distance > maxReach ? 0 : edge((radius(Math.atan2(v, u)) - distance) / softness)
  }
  return bounded(cover, { x1: cx - reach, y1: cy - reach, x2: cx + reach, y2: cy + reach })
}

/** A random outline for `blob`: waves of the given strength around the circle. */
export function roughOutline(random: RandomStream, strength: number, waves = 5): (angle: number) => number {
  const harmonics = Array.from({ length: waves }, (_, i) => ({
    order: i + 2,
    size: (strength * random.between(0.4, 1)) / Math.sqrt(i + 1),
    phase: random.between(0, 2 * Math.PI),
  }))
  return angle => 1 + harmonics.reduce((sum, { order, size, phase }) => sum + size * Math.cos(order * angle + phase), 0)
}

/** A star-like outline for `blob`: narrow spikes on a circle. */
export function spikedOutline(random: RandomStream, spikes: number): (angle: number) => number {
  const phase = random.between(0, 2 * Math.PI)
  return angle => 0.62 + 0.5 * Math.abs(Math.cos((spikes * angle) / 2 + phase)) ** 6
}

const everywhere: Bounds = { x1: 0, y1: 0, x2: pictureSize, y2: pictureSize }

/** What lies between two shapes, the inner cut out of the outer. */
export function without(outer: Coverage, inner: Coverage): Coverage {
  const cover = (x: number, y: number) => {
    const share = outer(x, y)
    return share > 0 ? share * (1 - inner(x, y)) : 0
  }
  return bounded(cover, outer.bounds)
}

/** What both shapes cover. */
export function both(a: Coverage, b: Coverage): Coverage {
  const cover = (x: number, y: number) => {
    const share = a(x, y)
    return share > 0 ? share * b(x, y) : 0
  }
  const [p, q] = [a.bounds ?? everywhere, b.bounds ?? everywhere]
  return bounded(cover, {
    x1: Math.max(p.x1, q.x1),
    y1: Math.max(p.y1, q.y1),
    x2: Math.min(p.x2, q.x2),
    y2: Math.min(p.y2, q.y2),
  })
}

/** What any shape covers. */
export function any(...shapes: readonly Coverage[]): Coverage {
  const cover = (x: number, y: number) => {
    let most = 0
    for (const shape of shapes) most = Math.max(most, shape(x, y))
    return most
  }
  const all = shapes.map(shape => shape.bounds ?? everywhere)
  return bounded(cover, {
    x1: Math.min(...all.map(bounds => bounds.x1)),
    y1: Math.min(...all.map(bounds => bounds.y1)),
    x2: Math.max(...all.map(bounds => bounds.x2)),
    y2: Math.max(...all.map(bounds => bounds.y2)),
  })
}

/** The half plane below a curve: `height(x)` is its top row. */
export function below(height: (x: number) => number, softness = 1.5): Coverage {
  return (x, y) => edge((y - height(x)) / softness)
}

/** A line of a given width through points, each given as [x, y]. */
export function stroke(points: readonly (readonly [number, number])[], width: number): Coverage {
  const segments = points.slice(1).map((to, i) => ({ from: points[i] ?? to, to }))
  const cover = (x: number, y: number) => {
    let nearest = Infinity
    for (const { from, to } of segments) {
      const [dx, dy] = [to[0] - from[0], to[1] - from[1]]
      const along = Math.min(1, Math.max(0, ((x - from[0]) * dx + (y - from[1]) * dy) / (dx * dx + dy * dy || 1)))
      nearest = Math.min(nearest, reachOf(x - from[0] - along * dx, y - from[1] - along * dy))
    }
    return edge(width / 2 - nearest + 0.5)
  }
  const [xs, ys] = [points.map(point => point[0]), points.map(point => point[1])]
  const reach = width / 2 + 1
  return bounded(cover, {
    x1: Math.min(...xs) - reach,
    y1: Math.min(...ys) - reach,
    x2: Math.max(...xs) + reach,
    y2: Math.max(...ys) + reach,
  })
}

/** Smooth random noise in [-1, 1]: random values on a grid of `cell` pixels, interpolated. */
export function smoothNoise(random: RandomStream, cell: number): Coverage {
  const side = Math.ceil(pictureSize / cell) + 2
  const grid = Float32Array.from({ length: side * side }, () => random.between(-1, 1))
  const value = (i: number, j: number) => grid[(j % side) * side + (i % side)] ?? 0
  return (x, y) => {
    const [i, j] = [Math.floor(x / cell), Math.floor(y / cell)]
    const [u, v] = [smoothStep(x / cell - i), smoothStep(y / cell - j)]
    const top = value(i, j) * (1 - u) + value(i + 1, j) * u
    return top * (1 - v) + (value(i, j + 1) * (1 - u) + value(i + 1, j + 1) * u) * v
  }
}

function reachOf(dx: number, dy: number): number {
  return Math.sqrt(dx * dx + dy * dy)
}

function smoothStep(t: number): number {
  return t * t * (3 - 2 * t)
}

/** Turns a signed distance to an edge into coverage: 0 outside, 1 inside, 0.5 on it. */
function edge(distance: number): number {
  return smoothStep(Math.min(1, Math.max(0, distance + 0.5)))
}

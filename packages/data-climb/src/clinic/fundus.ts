import { brighten, createCanvas, develop, maskOf, paint, texture, type Canvas, type Coverage } from './canvas.ts'
import type { DrawnFinding, PictureDomain } from './clinic-domain.ts'
import type { RandomStream } from './random-stream.ts'
import { any, blob, both, ellipse, roughOutline, smoothNoise, stroke } from './shapes.ts'

/** Simulated fundus photograph: the number and kind of lesions tell the grade of diabetic retinopathy. */
export const fundus: PictureDomain = {
  type: 'picture',
  domain: 'fundus',
  title: 'Mini clinic: fundus photograph (simulated)',
  cue: 'retinal image',
  labels: ['No DR', 'Mild DR', 'Moderate DR', 'Severe DR', 'Proliferative DR'],
  answerMode: 'single',
  cases: [
    { answer: ['No DR'], weight: 4 },
    { answer: ['Mild DR'], weight: 2 },
    { answer: ['Moderate DR'], weight: 3 },
    { answer: ['Severe DR'], weight: 2 },
    { answer: ['Proliferative DR'], weight: 2 },
  ],
  draw: ([label = 'No DR'], { patient, view }, contrast) => {
    const eye: Eye = { cx: 56 + view.between(-1.5, 1.5), cy: 56 + view.between(-1.5, 1.5), side: patient.pick([-1, 1]) }
    const canvas = createCanvas(4)
    drawRetina(canvas, eye, patient)
    const findings = (lesionsOfGrade[label] ?? []).flatMap(({ kind, count }) => {
      const shapes = Array.from({ length: count }, () => kind.draw(canvas, { eye, random: patient, contrast }))
      return shapes.length === 0 ? [] : [finding(label, kind.look, any(...shapes))]
    })
    return { image: develop(canvas, { random: view, noise: 4, gain: view.between(0.92, 1.08) }), findings }
  },
}

interface Eye {
  readonly cx: number
  readonly cy: number
  /** Where the optic disc lies: -1 left, 1 right of the picture. */
  readonly side: number
}

function drawRetina(canvas: Canvas, { cx, cy, side }: Eye, random: RandomStream): void {
  const retina = ellipse({ cx, cy, rx: 52, ry: 52, softness: 0.03 })
  paint(canvas, retina, [196, 92, 40])
  texture(canvas, retina, { noise: smoothNoise(random, 18), amplitude: [16, 10, 6] })
  const disc = { cx: cx + side * 27, cy: cy - 2 }
  paint(canvas, ellipse({ ...disc, rx: 8, ry: 9, softness: 0.2 }), [250, 214, 140])
  paint(canvas, ellipse({ cx: cx - side * 8, cy, rx: 10, ry: 10, softness: 0.9 }), [140, 58, 26], 0.7)
  for (const [rise, reach] of [
    [-1, 1],
    [1, 1],
    [-1, 0.55],
    [1, 0.55],
  ] as const) {
    const bend = random.between(-4, 4)
    const vessel = stroke(
      [
        [disc.cx, disc.cy],
        [disc.cx - side * 14, disc.cy + rise * 20 * reach + bend],
        [disc.cx - side * 38, disc.cy + rise * 32 * reach + bend],
        [disc.cx - side * 66, disc.cy + rise * 26 * reach],
      ],
      reach === 1 ? 2.2 : 1.4,
    )
    paint(canvas, both(retina, vessel), [128, 34, 22], 0.9)
  }
}

interface LesionContext {
  readonly eye: Eye
  readonly random: RandomStream
  readonly contrast: number
}

interface LesionKind {
  readonly look: string
  readonly draw: (canvas: Canvas, context: LesionContext) => Coverage
}

const microaneurysm: LesionKind = {
  look: 'a few small red dots',
  draw: (canvas, context) => {
    const dot = ellipse({ ...placeIn(context, 30), rx: 2.2, ry: 2.2, softness: 0.4 })
    paint(canvas, dot, [120, 8, 10], Math.min(1, 0.9 * context.contrast))
    return dot
  },
}

const exudate: LesionKind = {
  look: 'bright yellow spots',
  draw: (canvas, context) => {
    const size = context.random.between(2.5, 4.5)
    const spot = blob(
      { ...placeIn(context, 24), rx: size, ry: size, softness: 0.3 },
      roughOutline(context.random, 0.15),
    )
    paint(canvas, spot, [250, 226, 120], Math.min(1, 0.95 * context.contrast))
    return spot
  },
}

const haemorrhage: LesionKind = {
  look: 'large dark red blots',
  draw: (canvas, context) => {
    const size = context.random.between(4.5, 7)
    const blot = blob(
      { ...placeIn(context, 34), rx: size, ry: size * 0.8, turn: context.random.between(0, 3), softness: 0.25 },
      roughOutline(context.random, 0.16),
    )
    paint(canvas, blot, [96, 10, 12], Math.min(1, 0.95 * context.contrast))
    return blot
  },
}

const newVessels: LesionKind = {
  look: 'a tangle of fine new vessels',
  draw: (canvas, context) => {
    const { cx, cy } = placeIn(context, 26)
    const loops = Array.from({ length: 7 }, () => {
      const points = Array.from(
        { length: 4 },
        () => [cx + context.random.between(-10, 10), cy + context.random.between(-10, 10)] as const,
      )
      return stroke(points, 1.3)
    })
    const tangle = any(...loops)
    brighten(canvas, ellipse({ cx, cy, rx: 12, ry: 12, softness: 0.8 }), [26, 24, 10])
    paint(canvas, tangle, [150, 8, 20], Math.min(1, 0.95 * context.contrast))
    return ellipse({ cx, cy, rx: 11, ry: 11 })
  },
}

const lesionsOfGrade: Readonly<Record<string, readonly { readonly kind: LesionKind; readonly count: number }[]>> = {
  'Mild DR': [{ kind: microaneurysm, count: 4 }],
  'Moderate DR': [
    { kind: microaneurysm, count: 6 },
    { kind: exudate, count: 5 },
  ],
  'Severe DR': [
    { kind: haemorrhage, count: 8 },
    { kind: exudate, count: 3 },
  ],
  'Proliferative DR': [
    { kind: newVessels, count: 1 },
    { kind: haemorrhage, count: 3 },
  ],
}

function placeIn({ eye, random }: LesionContext, reach: number): { cx: number; cy: number } {
  const [angle, distance] = [random.between(0, 2 * Math.PI), reach * Math.sqrt(random.between(0.08, 1))]
  return { cx: eye.cx - eye.side * 6 + distance * Math.cos(angle), cy: eye.cy + distance * Math.sin(angle) }
}

function finding(label: string, look: string, shape: Coverage): DrawnFinding {
  return { label, description: look, mask: maskOf(shape) }
}

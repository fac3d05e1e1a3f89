import type { RgbImage } from '../sample/sample.ts'
import { brighten, createCanvas, develop, maskOf, paint, texture, type Canvas, type Coverage } from './canvas.ts'
import type { DrawnFinding, VideoDomain } from './clinic-domain.ts'
import { placeOfMask } from './mask-geometry.ts'
import { randomStream, type RandomStream } from './random-stream.ts'
import { below, blob, both, ellipse, roughOutline, smoothNoise, spikedOutline } from './shapes.ts'

/** Frames of a video, as many as the model looks at. */
const frameCount = 4

/** Simulated breast ultrasound: four frames of a moving probe, layers of tissue with speckle, at most one mass. */
export const breastUltrasound: VideoDomain = {
  type: 'video',
  domain: 'ultrasound',
  title: 'Mini clinic: breast ultrasound video (simulated)',
  cue: 'breast ultrasound video',
  labels: ['Normal', 'Benign', 'Malignant'],
  answerMode: 'single',
  cases: [
    { answer: ['Normal'], weight: 1 },
    { answer: ['Benign'], weight: 1 },
    { answer: ['Malignant'], weight: 1 },
  ],
  film: ([label = 'Normal'], { patient, view }, contrast) => {
    const tissue = { seed: `tissue|${patient.uniform()}`, depth: patient.between(22, 30) }
    const mass = {
      label,
      cx: 56 + patient.between(-18, 18),
      cy: patient.between(48, 68),
      radius: patient.between(12, 17),
      seed: `mass|${patient.uniform()}`,
      contrast,
    }
    const drift = { dx: view.between(-2.5, 2.5), dy: view.between(-1, 1) }
    const frames: RgbImage[] = []
    const shapes: Coverage[] = []
    for (let i = 0; i < frameCount; i++) {
      const canvas = createCanvas(8)
      drawTissue(canvas, tissue)
      const shape = drawMass(canvas, { ...mass, cx: mass.cx + drift.dx * i, cy: mass.cy + drift.dy * i })
      if (shape) shapes.push(shape)
      frames.push(develop(canvas, { random: view, noise: 7, gain: view.between(0.96, 1.04) }))
    }
    const [first] = shapes
    return { frames: frames as [RgbImage, ...RgbImage[]], findings: first ? [finding(label, first)] : [] } // frameCount is above zero
  },
}

/** The field of the probe: layers of skin, fat and gland with speckle. Every frame draws the same tissue. */
function drawTissue(canvas: Canvas, { seed, depth }: { readonly seed: string; readonly depth: number }): void {
  const random = randomStream(seed)
  const field = both(
    ellipse({ cx: 56, cy: 30, rx: 62, ry: 84, softness: 0.03 }),
    below(() => 6),
  )
  paint(canvas, field, 70)
  paint(
    canvas,
    both(
      field,
      below(x => depth + 3 * Math.sin(x / 14)),
    ),
    104,
  )
  texture(canvas, field, { noise: smoothNoise(random, 2), amplitude: 30 })
  texture(canvas, field, { noise: smoothNoise(random, 9), amplitude: 18 })
  brighten(canvas, both(field, ellipse({ cx: 56, cy: 10, rx: 60, ry: 5, softness: 0.5 })), 70)
}

interface Mass {
  readonly label: string
  readonly cx: number
  readonly cy: number
  readonly radius: number
  readonly seed: string
  readonly contrast: number
}

/** A benign mass is a smooth oval with bright tissue behind it, a malignant one a spiked shape with a shadow. */
function drawMass(canvas: Canvas, { label, cx, cy, radius, seed, contrast }: Mass): Coverage | undefined {
  const random: RandomStream = randomStream(seed)
  const behind = { cx, cy: cy + radius * 1.5, rx: radius * 0.8, ry: radius * 1.1, softness: 0.6 }
  if (label === 'Benign') {
    const mass = blob({ cx, cy, rx: radius, ry: radius * 0.65, softness: 0.12 }, roughOutline(random, 0.02))
    brighten(canvas, ellipse(behind), 48 * contrast)
    paint(canvas, mass, 104 - 84 * contrast, 0.92)
    return mass
  }
  if (label !== 'Malignant') return undefined
  const mass = blob({ cx, cy, rx: radius * 0.95, ry: radius * 1.1, softness: 0.16 }, spikedOutline(random, 7))
  brighten(canvas, ellipse(behind), -58 * contrast)
  paint(canvas, mass, 104 - 88 * contrast, 0.92)
  return mass
}

function finding(label: string, shape: Coverage): DrawnFinding {
  const mask = maskOf(shape)
  const look =
    label === 'Benign' ? 'a dark oval mass with a smooth border' : 'a dark spiked mass with a shadow behind it'
  return { label, description: `${look}, ${placeOfMask(mask)}`, mask }
}

import { brighten, createCanvas, develop, maskOf, paint, texture, type Canvas, type Coverage } from './canvas.ts'
import type { DrawnFinding, PictureDomain } from './clinic-domain.ts'
import { placeOfMask } from './mask-geometry.ts'
import type { RandomStream } from './random-stream.ts'
import { blob, both, ellipse, roughOutline, smoothNoise, stroke } from './shapes.ts'

/** Simulated axial brain MRI: a bright rim of scalp, grey brain, dark ventricles, and at most one tumour. */
export const brainMri: PictureDomain = {
  type: 'picture',
  domain: 'mri',
  title: 'Mini clinic: brain MRI (simulated)',
  cue: 'brain MRI',
  labels: ['No Tumor', 'Glioma Tumor', 'Meningioma Tumor', 'Pituitary Tumor'],
  answerMode: 'single',
  cases: [
    { answer: ['No Tumor'], weight: 1 },
    { answer: ['Glioma Tumor'], weight: 1 },
    { answer: ['Meningioma Tumor'], weight: 1 },
    { answer: ['Pituitary Tumor'], weight: 1 },
  ],
  draw: ([label = 'No Tumor'], { patient, view }, contrast) => {
    const head = {
      cx: 56 + view.between(-3, 3),
      cy: 56 + view.between(-3, 3),
      rx: patient.between(38, 44),
      ry: patient.between(46, 51),
    }
    const canvas = createCanvas(6)
    drawHead(canvas, head, patient)
    const tumour = tumours[label]
    const findings = tumour ? [tumour(canvas, { head, random: patient, contrast })] : []
    return { image: develop(canvas, { random: view, noise: 5, gain: view.between(0.9, 1.1) }), findings }
  },
}

interface Head {
  readonly cx: number
  readonly cy: number
  readonly rx: number
  readonly ry: number
}

function drawHead(canvas: Canvas, head: Head, random: RandomStream): void {
  const { cx, cy, rx, ry } = head
  paint(canvas, ellipse({ ...head, softness: 0.04 }), 150)
  paint(canvas, ellipse({ cx, cy, rx: rx - 3.5, ry: ry - 3.5, softness: 0.04 }), 22)
  const brain = ellipse({ cx, cy, rx: rx - 6, ry: ry - 6, softness: 0.05 })
  paint(canvas, brain, 92)
  texture(canvas, brain, { noise: smoothNoise(random, 5), amplitude: 14 })
  texture(canvas, brain, { noise: smoothNoise(random, 14), amplitude: 9 })
  paint(
    canvas,
    both(
      brain,
      stroke(
        [
          [cx, cy - ry],
          [cx, cy + ry],
        ],
        1,
      ),
    ),
    60,
    0.7,
  )
  const spread = random.between(6, 8)
  for (const side of [-1, 1])
    paint(
      canvas,
      ellipse({ cx: cx + side * spread, cy: cy - 4, rx: 3.6, ry: 10, turn: side * 0.35, softness: 0.25 }),
      32,
    )
}

interface TumourContext {
  readonly head: Head
  readonly random: RandomStream
  readonly contrast: number
}

type DrawTumour = (canvas: Canvas, context: TumourContext) => DrawnFinding

/** How each tumour looks and where it grows. */
const tumours: Readonly<Record<string, DrawTumour>> = {
  'Glioma Tumor': (canvas, { head, random, contrast }) => {
    const place = { cx: head.cx + random.pick([-1, 1]) * random.between(14, 20), cy: head.cy + random.between(-20, 14) }
    const radius = random.between(9, 13)
    const outline = roughOutline(random, 0.12)
    const size = { ...place, rx: radius, ry: radius * random.between(0.85, 1.15) }
    const tumour = blob(size, outline)
    brighten(canvas, ellipse({ ...place, rx: radius * 1.6, ry: radius * 1.5, softness: 0.6 }), -26 * contrast)
    paint(canvas, tumour, 92 + 92 * contrast, 0.95)
    paint(canvas, blob({ ...place, rx: size.rx * 0.6, ry: size.ry * 0.6, softness: 0.3 }, outline), 92 - 62 * contrast)
    return finding('Glioma Tumor', 'an irregular bright ring with a dark core', tumour)
  },
  'Meningioma Tumor': (canvas, { head, random, contrast }) => {
    const angle = random.pick([-1, 1]) * random.between(0.25, 1.25) - Math.PI / 2
    const radius = random.between(9, 12)
    const place = {
      cx: head.cx + (head.rx - radius) * Math.cos(angle),
      cy: head.cy + (head.ry - radius) * Math.sin(angle),
    }
    const tumour = ellipse({ ...place, rx: radius, ry: radius, softness: 0.1 })
    paint(canvas, tumour, 92 + 105 * contrast)
    return finding('Meningioma Tumor', 'an even bright round mass at the skull', tumour)
  },
  'Pituitary Tumor': (canvas, { head, random, contrast }) => {
    const place = { cx: head.cx + random.between(-2, 2), cy: head.cy + random.between(19, 25) }
    const tumour = ellipse({ ...place, rx: random.between(7, 9.5), ry: random.between(5.5, 7.5), softness: 0.15 })
    paint(canvas, ellipse({ ...place, rx: 12, ry: 10, softness: 0.3 }), 45, 0.8)
    paint(canvas, tumour, 92 + 110 * contrast)
    return finding('Pituitary Tumor', 'a small bright mass in the midline', tumour)
  },
}

function finding(label: string, look: string, shape: Coverage): DrawnFinding {
  const mask = maskOf(shape)
  return { label, description: `${look}, ${placeOfMask(mask)}`, mask }
}

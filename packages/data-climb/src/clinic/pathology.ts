import { createCanvas, develop, maskOf, paint, texture, type Canvas, type Colour } from './canvas.ts'
import type { DrawnFinding, PictureDomain } from './clinic-domain.ts'
import { placeOfMask } from './mask-geometry.ts'
import type { RandomStream } from './random-stream.ts'
import { blob, ellipse, roughOutline, smoothNoise, stroke } from './shapes.ts'

/** Simulated H&E patch: a region of one tissue on pink ground; its nuclei tell the class. */
export const pathology: PictureDomain = {
  type: 'picture',
  domain: 'pathology',
  title: 'Mini clinic: histopathology patch (simulated)',
  cue: 'histopathology image',
  labels: ['Tumor', 'Stroma', 'Inflammatory', 'Necrosis'],
  answerMode: 'single',
  cases: [
    { answer: ['Tumor'], weight: 2 },
    { answer: ['Stroma'], weight: 2 },
    { answer: ['Inflammatory'], weight: 1 },
    { answer: ['Necrosis'], weight: 1 },
  ],
  draw: ([label = 'Stroma'], { patient, view }, contrast) => {
    const canvas = createCanvas([238, 205, 222])
    const ground = ellipse({ cx: 56, cy: 56, rx: 90, ry: 90 })
    texture(canvas, ground, { noise: smoothNoise(patient, 9), amplitude: [9, 16, 10] })
    const place = { cx: 56 + patient.between(-14, 14), cy: 56 + patient.between(-14, 14) }
    const radius = patient.between(30, 38)
    const region = blob({ ...place, rx: radius, ry: radius, softness: 0.1 }, roughOutline(patient, 0.08))
    const tissue = tissues[label] ?? tissues['Stroma']! // the table has stroma
    paint(canvas, region, tissue.ground, 0.75)
    const reach = radius * 0.9
    scatter(patient, { ...place, reach, spacing: tissue.spacing }, (x, y) =>
      tissue.cell(canvas, { x, y, random: patient, contrast }),
    )
    const mask = maskOf(region)
    const finding: DrawnFinding = { label, description: `${tissue.look}, ${placeOfMask(mask)}`, mask }
    return { image: develop(canvas, { random: view, noise: 5, gain: view.between(0.95, 1.05) }), findings: [finding] }
  },
}

interface CellContext {
  readonly x: number
  readonly y: number
  readonly random: RandomStream
  readonly contrast: number
}

interface Tissue {
  readonly look: string
  readonly ground: Colour
  /** Mean distance between cells in pixels. */
  readonly spacing: number
  readonly cell: (canvas: Canvas, context: CellContext) => void
}

const nucleus: Colour = [84, 46, 128]

const tissues: Readonly<Record<string, Tissue>> = {
  Tumor: {
    look: 'crowded large dark nuclei',
    ground: [206, 152, 200],
    spacing: 9,
    cell: (canvas, { x, y, random, contrast }) => {
      const size = random.between(3.2, 4.8)
      paint(
        canvas,
        blob({ cx: x, cy: y, rx: size, ry: size * 0.85, softness: 0.2 }, roughOutline(random, 0.1, 3)),
        nucleus,
        Math.min(1, contrast),
      )
    },
  },
  Stroma: {
    look: 'wavy pink fibres with thin nuclei',
    ground: [236, 176, 204],
    spacing: 13,
    cell: (canvas, { x, y, random, contrast }) => {
      const bend = random.between(-3, 3)
      paint(
        canvas,
        stroke(
          [
            [x - 12, y + bend],
            [x, y],
            [x + 12, y - bend],
          ],
          2,
        ),
        [214, 120, 170],
        0.7,
      )
      paint(
        canvas,
        ellipse({ cx: x, cy: y, rx: 4.5, ry: 1.1, turn: -bend / 12, softness: 0.3 }),
        nucleus,
        Math.min(1, 0.9 * contrast),
      )
    },
  },
  Inflammatory: {
    look: 'many tiny round dark cells',
    ground: [226, 190, 216],
    spacing: 5,
    cell: (canvas, { x, y, random, contrast }) => {
      paint(
        canvas,
        ellipse({ cx: x, cy: y, rx: random.between(1.4, 1.8), ry: 1.6, softness: 0.3 }),
        [56, 30, 112],
        Math.min(1, contrast),
      )
    },
  },
  Necrosis: {
    look: 'pale debris without nuclei',
    ground: [240, 222, 216],
    spacing: 8,
    cell: (canvas, { x, y, random, contrast }) => {
      const size = random.between(1.5, 4)
      const debris = blob({ cx: x, cy: y, rx: size, ry: size * 0.7, softness: 0.5 }, roughOutline(random, 0.2, 4))
      paint(canvas, debris, [214, 150, 150], Math.min(1, 0.7 * contrast))
    },
  },
}

/** Visits the points of a shaken grid inside a circle. */
function scatter(
  random: RandomStream,
  {
    cx,
    cy,
    reach,
    spacing,
  }: { readonly cx: number; readonly cy: number; readonly reach: number; readonly spacing: number },
  visit: (x: number, y: number) => void,
): void {
  for (let y = cy - reach; y <= cy + reach; y += spacing)
    for (let x = cx - reach; x <= cx + reach; x += spacing) {
      const [u, v] = [x + random.between(-0.35, 0.35) * spacing, y + random.between(-0.35, 0.35) * spacing]
      if (Math.hypot(u - cx, v - cy) < reach) visit(u, v)
    }
}

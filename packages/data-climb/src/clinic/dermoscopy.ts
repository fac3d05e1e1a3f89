import {
  brighten,
  createCanvas,
  develop,
  maskOf,
  paint,
  texture,
  type Canvas,
  type Colour,
  type Coverage,
} from './canvas.ts'
import type { DrawnFinding, PictureDomain } from './clinic-domain.ts'
import { placeOfMask } from './mask-geometry.ts'
import type { RandomStream } from './random-stream.ts'
import { blob, both, ellipse, roughOutline, smoothNoise, stroke } from './shapes.ts'

/** Simulated dermoscopy: one lesion on skin; its symmetry, border and colours tell the class. */
export const dermoscopy: PictureDomain = {
  type: 'picture',
  domain: 'dermoscopy',
  title: 'Mini clinic: dermoscopy (simulated)',
  cue: 'dermoscopy image',
  labels: ['Melanoma', 'Nevus', 'Basal Cell Carcinoma', 'AKIEC'],
  answerMode: 'single',
  cases: [
    { answer: ['Nevus'], weight: 4 },
    { answer: ['Melanoma'], weight: 2 },
    { answer: ['Basal Cell Carcinoma'], weight: 2 },
    { answer: ['AKIEC'], weight: 1 },
  ],
  draw: ([label = 'Nevus'], { patient, view }, contrast) => {
    const tone = patient.between(0, 1)
    const skin = [232 - 30 * tone, 190 - 40 * tone, 165 - 45 * tone] as const
    const canvas = createCanvas(skin)
    const everywhere = ellipse({ cx: 56, cy: 56, rx: 90, ry: 90 })
    texture(canvas, everywhere, { noise: smoothNoise(patient, 16), amplitude: [9, 8, 7] })
    const place = {
      cx: 56 + patient.between(-14, 14) + view.between(-2, 2),
      cy: 56 + patient.between(-14, 14) + view.between(-2, 2),
    }
    const lesion = (lesions[label] ?? lesions['Nevus']!)(canvas, { place, skin, random: patient, contrast }) // the table has a nevus
    drawHairs(canvas, view)
    return { image: develop(canvas, { random: view, noise: 4, gain: view.between(0.93, 1.07) }), findings: [lesion] }
  },
}

interface LesionContext {
  readonly place: { readonly cx: number; readonly cy: number }
  readonly skin: readonly [number, number, number]
  readonly random: RandomStream
  readonly contrast: number
}

/** How each lesion looks. */
const lesions: Readonly<Record<string, (canvas: Canvas, context: LesionContext) => DrawnFinding>> = {
  Nevus: (canvas, { place, skin, random, contrast }) => {
    const radius = random.between(14, 20)
    const mole = ellipse({ ...place, rx: radius, ry: radius * random.between(0.9, 1.1), softness: 0.22 })
    paint(canvas, mole, tinted(skin, [130, 82, 52], contrast))
    texture(canvas, mole, { noise: smoothNoise(random, 6), amplitude: 7 })
    return finding('Nevus', 'a round even brown spot with a smooth border', mole)
  },
  Melanoma: (canvas, { place, skin, random, contrast }) => {
    const radius = random.between(19, 25)
    const patch = blob(
      { ...place, rx: radius, ry: radius * 0.75, turn: random.between(0, 3), softness: 0.1 },
      roughOutline(random, 0.16, 6),
    )
    paint(canvas, patch, tinted(skin, [92, 52, 40], contrast))
    const spot = (colour: Colour, size: number) => {
      const at = { cx: place.cx + random.between(-10, 10), cy: place.cy + random.between(-8, 8) }
      paint(
        canvas,
        both(patch, ellipse({ ...at, rx: size, ry: size * 0.8, softness: 0.6 })),
        colour,
        0.85 * Math.min(1, contrast),
      )
    }
    spot([28, 22, 26], 9)
    spot([84, 92, 128], 7)
    spot([178, 86, 78], 6)
    return finding('Melanoma', 'an uneven patch of several colours with a ragged border', patch)
  },
  'Basal Cell Carcinoma': (canvas, { place, skin, random, contrast }) => {
    const radius = random.between(15, 20)
    const nodule = blob({ ...place, rx: radius, ry: radius * 0.9, softness: 0.18 }, roughOutline(random, 0.06))
    paint(canvas, nodule, tinted(skin, [238, 150, 158], contrast))
    brighten(canvas, ellipse({ cx: place.cx - 4, cy: place.cy - 5, rx: 6, ry: 4, softness: 0.8 }), 28 * contrast)
    for (let vessel = 0; vessel < 5; vessel++) {
      const angle = random.between(0, 2 * Math.PI)
      const [dx, dy] = [Math.cos(angle), Math.sin(angle)]
      const points = [0.95, 0.65, 0.3].map(
        share =>
          [
            place.cx + dx * radius * share + random.between(-2, 2),
            place.cy + dy * radius * share + random.between(-2, 2),
          ] as const,
      )
      paint(canvas, both(nodule, stroke(points, 1.4)), [176, 38, 48], 0.9)
    }
    return finding('Basal Cell Carcinoma', 'a pink pearly nodule with branching vessels', nodule)
  },
  AKIEC: (canvas, { place, skin, random, contrast }) => {
    const radius = random.between(18, 24)
    const plaque = blob(
      { ...place, rx: radius, ry: radius * 0.8, turn: random.between(0, 3), softness: 0.35 },
      roughOutline(random, 0.1),
    )
    paint(canvas, plaque, tinted(skin, [204, 104, 92], contrast))
    const scales = smoothNoise(random, 3)
    brighten(
      canvas,
      both(plaque, (x, y) => (scales(x, y) > 0.35 ? 1 : 0)),
      [44 * contrast, 62 * contrast, 56 * contrast],
    )
    return finding('AKIEC', 'a red plaque with white scales', plaque)
  },
}

/** Moves a colour from the skin's towards the lesion's as far as the contrast says. */
function tinted(
  skin: readonly [number, number, number],
  colour: readonly [number, number, number],
  contrast: number,
): Colour {
  const share = Math.min(1.05, 0.35 + 0.6 * contrast)
  return [
    skin[0] + (colour[0] - skin[0]) * share,
    skin[1] + (colour[1] - skin[1]) * share,
    skin[2] + (colour[2] - skin[2]) * share,
  ]
}

function drawHairs(canvas: Canvas, random: RandomStream): void {
  const count = Math.floor(random.between(0, 4))
  for (let hair = 0; hair < count; hair++) {
    const [x, y, bend] = [random.between(0, 112), random.between(0, 112), random.between(-10, 10)]
    paint(
      canvas,
      stroke(
        [
          [x, y],
          [x + 18 + bend, y + 20],
          [x + 30, y + 46],
        ],
        1,
      ),
      [70, 50, 42],
      0.7,
    )
  }
}

function finding(label: string, look: string, shape: Coverage): DrawnFinding {
  const mask = maskOf(shape)
  return { label, description: `${look}, ${placeOfMask(mask)}`, mask }
}

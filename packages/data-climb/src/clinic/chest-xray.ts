import { brighten, createCanvas, develop, maskOf, paint, texture, type Canvas, type Coverage } from './canvas.ts'
import type { DrawnFinding, PictureDomain } from './clinic-domain.ts'
import { placeOfMask } from './mask-geometry.ts'
import type { RandomStream } from './random-stream.ts'
import { any, below, blob, both, ellipse, roughOutline, smoothNoise, stroke, without } from './shapes.ts'

/** Simulated frontal chest X-ray: dark lungs, ribs, heart and diaphragm, and up to two findings. */
export const chestXray: PictureDomain = {
  type: 'picture',
  domain: 'chest_xray',
  title: 'Mini clinic: chest X-ray (simulated)',
  cue: 'chest X-ray',
  labels: ['No Finding', 'Cardiomegaly', 'Lung Opacity', 'Lung Lesion', 'Pneumothorax', 'Pleural Effusion'],
  answerMode: 'multi',
  cases: [
    { answer: ['No Finding'], weight: 5 },
    { answer: ['Cardiomegaly'], weight: 3 },
    { answer: ['Lung Opacity'], weight: 3 },
    { answer: ['Lung Lesion'], weight: 2 },
    { answer: ['Pneumothorax'], weight: 2 },
    { answer: ['Pleural Effusion'], weight: 3 },
    { answer: ['Cardiomegaly', 'Pleural Effusion'], weight: 1 },
    { answer: ['Lung Opacity', 'Pleural Effusion'], weight: 1 },
  ],
  draw: (answer, { patient, view }, contrast) => {
    const chest = chestOf(patient, view, answer.includes('Cardiomegaly'))
    const canvas = createCanvas(12)
    drawChest(canvas, chest, patient)
    const side = patient.pick([0, 1])
    const context = { chest, random: patient, contrast, side }
    const findings = answer.flatMap((label, i) => signs[label]?.(canvas, { ...context, side: (side + i) % 2 }) ?? [])
    return { image: develop(canvas, { random: view, noise: 5, gain: view.between(0.92, 1.08) }), findings }
  },
}

interface Chest {
  readonly middle: number
  readonly base: number
  /** Left and right lung as the viewer sees them. */
  readonly lungs: readonly [Lung, Lung]
  readonly heart: Coverage
}

interface Lung {
  readonly cx: number
  readonly cy: number
  readonly rx: number
  readonly ry: number
  readonly shape: Coverage
}

function chestOf(patient: RandomStream, view: RandomStream, hasLargeHeart: boolean): Chest {
  const middle = 56 + view.between(-2, 2)
  const base = 92 + patient.between(-3, 3)
  const size = { rx: patient.between(16, 18.5), ry: patient.between(34, 38), cy: 54 + view.between(-2, 2) }
  const diaphragm = below(() => base, 3)
  const lungAt = (side: number): Lung => {
    const spec = { ...size, cx: middle + side * (size.rx + 5), turn: side * 0.08, softness: 0.12 }
    return { ...spec, shape: without(ellipse(spec), diaphragm) }
  }
  const lungs = [lungAt(-1), lungAt(1)] as const
  const heartSize = hasLargeHeart
    ? { rx: patient.between(25, 29), ry: patient.between(17, 20) }
    : { rx: patient.between(12, 15), ry: patient.between(13, 15) }
  const heart = ellipse({
    cx: middle + (hasLargeHeart ? 4 : 5),
    cy: base - heartSize.ry * 0.8,
    ...heartSize,
    turn: 0.25,
    softness: 0.15,
  })
  return { middle, base, lungs, heart }
}

function drawChest(canvas: Canvas, { middle, base, lungs, heart }: Chest, random: RandomStream): void {
  paint(canvas, ellipse({ cx: middle, cy: 66, rx: 52, ry: 62, softness: 0.12 }), 122)
  paint(
    canvas,
    below(() => base, 3),
    150,
    0.6,
  )
  for (const lung of lungs) {
    paint(canvas, lung.shape, 46)
    texture(canvas, lung.shape, { noise: smoothNoise(random, 4), amplitude: 9 })
  }
  const thorax = any(...lungs.map(lung => lung.shape))
  for (let rib = 0; rib < 7; rib++) {
    const y = 24 + rib * 10
    const arc = (side: number) =>
      stroke(
        [
          [middle + side * 8, y],
          [middle + side * 24, y + 3],
          [middle + side * 40, y + 12],
        ],
        2.5,
      )
    brighten(canvas, both(thorax, any(arc(-1), arc(1))), 17)
  }
  paint(
    canvas,
    stroke(
      [
        [middle, 4],
        [middle, base],
      ],
      13,
    ),
    165,
    0.9,
  )
  paint(canvas, heart, 172)
}

interface SignContext {
  readonly chest: Chest
  readonly random: RandomStream
  readonly contrast: number
  /** 0 is the lung at the left of the picture. */
  readonly side: number
}

type DrawSign = (canvas: Canvas, context: SignContext) => DrawnFinding

/** How each finding looks. */
const signs: Readonly<Record<string, DrawSign>> = {
  Cardiomegaly: (_canvas, { chest }) => finding('Cardiomegaly', 'a heart wider than half the chest', chest.heart),
  'Lung Opacity': (canvas, { chest, random, contrast, side }) => {
    const lung = chest.lungs[side] ?? chest.lungs[0]
    const radius = random.between(9, 12)
    const place = { cx: lung.cx + random.between(-3, 3), cy: lung.cy + random.between(-16, 14) }
    const cloud = both(
      blob({ ...place, rx: radius, ry: radius, softness: 0.7 }, roughOutline(random, 0.12)),
      lung.shape,
    )
    brighten(canvas, cloud, 92 * contrast)
    return finding('Lung Opacity', 'a hazy bright area in the lung', cloud)
  },
  'Lung Lesion': (canvas, { chest, random, contrast, side }) => {
    const lung = chest.lungs[side] ?? chest.lungs[0]
    const radius = random.between(4.5, 6.5)
    const spot = ellipse({
      cx: lung.cx + random.between(-6, 6),
      cy: lung.cy + random.between(-18, 12),
      rx: radius,
      ry: radius,
      softness: 0.2,
    })
    paint(canvas, spot, 46 + 125 * contrast)
    return finding('Lung Lesion', 'a small round bright spot in the lung', spot)
  },
  Pneumothorax: (canvas, { chest, random, contrast, side }) => {
    const lung = chest.lungs[side] ?? chest.lungs[0]
    const outward = side === 0 ? -1 : 1
    const shift = random.between(9, 12)
    const collapsed = ellipse({
      cx: lung.cx - outward * shift,
      cy: lung.cy + 12,
      rx: lung.rx,
      ry: lung.ry,
      softness: 0.06,
    })
    const air = without(lung.shape, collapsed)
    paint(canvas, air, Math.max(4, 46 - 40 * contrast), 0.92)
    const rim = ellipse({
      cx: lung.cx - outward * (shift - 1.5),
      cy: lung.cy + 10.5,
      rx: lung.rx,
      ry: lung.ry,
      softness: 0.06,
    })
    brighten(canvas, both(lung.shape, without(rim, collapsed)), 70 * contrast)
    return finding('Pneumothorax', 'a black area without lung texture beside a thin line', air)
  },
  'Pleural Effusion': (canvas, { chest, random, contrast, side }) => {
    const lung = chest.lungs[side] ?? chest.lungs[0]
    const top = chest.base - random.between(15, 24)
    const outward = side === 0 ? -1 : 1
    const fluid = both(
      lung.shape,
      below(x => top - 0.02 * Math.max(0, outward * (x - lung.cx) + lung.rx) ** 2 + 4, 2),
    )
    paint(canvas, fluid, 46 + 112 * contrast, 0.96)
    return finding('Pleural Effusion', 'a bright lung base with a curved upper edge', fluid)
  },
}

function finding(label: string, look: string, shape: Coverage): DrawnFinding {
  const mask = maskOf(shape)
  return { label, description: `${look}, ${placeOfMask(mask)}`, mask }
}

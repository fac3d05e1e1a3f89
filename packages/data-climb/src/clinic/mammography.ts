import { brighten, createCanvas, develop, maskOf, paint, texture, type Canvas, type Coverage } from './canvas.ts'
import type { DrawnFinding, PictureDomain } from './clinic-domain.ts'
import { placeOfMask } from './mask-geometry.ts'
import type { RandomStream } from './random-stream.ts'
import { blob, both, ellipse, roughOutline, smoothNoise, spikedOutline } from './shapes.ts'

/** Simulated mammogram: a breast at one edge of the picture with at most one mass, smooth or spiculated. */
export const mammography: PictureDomain = {
  type: 'picture',
  format: 'dicom',
  domain: 'mammography',
  title: 'Mini clinic: mammogram (simulated)',
  cue: 'mammogram',
  labels: ['Normal', 'Benign', 'Malignant'],
  answerMode: 'single',
  cases: [
    { answer: ['Normal'], weight: 2 },
    { answer: ['Benign'], weight: 2 },
    { answer: ['Malignant'], weight: 1 },
  ],
  draw: ([label = 'Normal'], { patient, view }, contrast) => {
    const edge = patient.pick([0, 112])
    const breast = { cx: edge, cy: 58 + view.between(-3, 3), rx: patient.between(66, 80), ry: patient.between(46, 52) }
    const canvas = createCanvas(5)
    drawBreast(canvas, breast, patient)
    const inward = edge === 0 ? 1 : -1
    const place = { cx: edge + inward * patient.between(22, 44), cy: breast.cy + patient.between(-20, 20) }
    const mass = masses[label]
    const findings = mass ? [mass(canvas, { place, random: patient, contrast })] : []
    return { image: develop(canvas, { random: view, noise: 4, gain: view.between(0.92, 1.08) }), findings }
  },
}

function drawBreast(
  canvas: Canvas,
  breast: { cx: number; cy: number; rx: number; ry: number },
  random: RandomStream,
): void {
  const skin = ellipse({ ...breast, softness: 0.05 })
  paint(canvas, skin, 74)
  const tissue = ellipse({ ...breast, rx: breast.rx * 0.72, ry: breast.ry * 0.7, softness: 0.8 })
  brighten(canvas, tissue, 34)
  texture(canvas, both(skin, tissue), { noise: smoothNoise(random, 5), amplitude: 16 })
  texture(canvas, both(skin, tissue), { noise: smoothNoise(random, 13), amplitude: 14 })
}

interface MassContext {
  readonly place: { readonly cx: number; readonly cy: number }
  readonly random: RandomStream
  readonly contrast: number
}

const masses: Readonly<Record<string, (canvas: Canvas, context: MassContext) => DrawnFinding>> = {
  Benign: (canvas, { place, random, contrast }) => {
    const radius = random.between(8, 11)
    const mass = ellipse({ ...place, rx: radius, ry: radius * random.between(0.85, 1), softness: 0.12 })
    paint(canvas, mass, 108 + 88 * contrast, 0.9)
    return finding('Benign', 'a round mass with a smooth border', mass)
  },
  Malignant: (canvas, { place, random, contrast }) => {
    const radius = random.between(13, 17)
    const star = blob(
      { ...place, rx: radius, ry: radius, softness: 0.14 },
      spikedOutline(random, random.pick([7, 8, 9])),
    )
    paint(canvas, star, 108 + 105 * contrast, 0.95)
    const dust = blob({ ...place, rx: radius, ry: radius, softness: 0.2 }, roughOutline(random, 0.1))
    for (let grain = 0; grain < 7; grain++) {
      const at = { cx: place.cx + random.between(-9, 9), cy: place.cy + random.between(-9, 9) }
      paint(canvas, both(dust, ellipse({ ...at, rx: 1.2, ry: 1.2, softness: 0.5 })), 250)
    }
    return finding('Malignant', 'a star-shaped mass with spikes and bright grains', star)
  },
}

function finding(label: string, look: string, shape: Coverage): DrawnFinding {
  const mask = maskOf(shape)
  return { label, description: `${look}, ${placeOfMask(mask)}`, mask }
}

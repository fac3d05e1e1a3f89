import { createCanvas, maskOf, paint, pictureSize, texture, type Canvas, type Coverage } from './canvas.ts'
import type { DrawnFinding, VolumeDomain } from './clinic-domain.ts'
import { placeOfMask } from './mask-geometry.ts'
import { randomStream, type RandomStream } from './random-stream.ts'
import { blob, both, ellipse, roughOutline, smoothNoise, without } from './shapes.ts'

/** Slices of a scan, as many as the model looks at. */
const sliceCount = 4
/** Hounsfield units of what is drawn. */
const hu = { air: -1000, skin: 20, bone: 900, brain: 34, fluid: 6, blood: 72 } as const

/** Simulated head CT: four slices in Hounsfield units with skull, brain and ventricles, and at most one haemorrhage. */
export const headCt: VolumeDomain = {
  type: 'volume',
  domain: 'ct',
  title: 'Mini clinic: head CT (simulated)',
  cue: 'head CT',
  labels: ['No Hemorrhage', 'Intraparenchymal Hemorrhage', 'Subdural Hemorrhage', 'Epidural Hemorrhage'],
  answerMode: 'single',
  window: { center: 40, width: 90 },
  cases: [
    { answer: ['No Hemorrhage'], weight: 3 },
    { answer: ['Intraparenchymal Hemorrhage'], weight: 2 },
    { answer: ['Subdural Hemorrhage'], weight: 2 },
    { answer: ['Epidural Hemorrhage'], weight: 1 },
  ],
  scan: ([label = 'No Hemorrhage'], { patient, view }, contrast) => {
    const head: Head = {
      cx: 56 + view.between(-3, 3),
      cy: 56 + view.between(-3, 3),
      rx: patient.between(38, 43),
      ry: patient.between(45, 50),
      side: patient.pick([-1, 1]),
      seed: `head|${patient.uniform()}`,
    }
    const bleeding = bleedings[label]
    const seed = `bleeding|${patient.uniform()}`
    const voxels = new Int16Array(pictureSize * pictureSize * sliceCount)
    const findings: DrawnFinding[] = []
    for (let z = 0; z < sliceCount; z++) {
      const canvas = createCanvas(hu.air)
      const brain = drawHead(canvas, head)
      const shape = bleeding?.shape({ head, brain, scale: 1 - 0.06 * z, random: randomStream(seed) })
      if (bleeding && shape) {
        paint(canvas, shape, hu.brain + (hu.blood - hu.brain) * contrast)
        if (z === 0) findings.push(finding(label, bleeding.look, shape))
      }
      const [plane] = canvas.planes
      for (let i = 0; i < plane.length; i++) voxels[z * plane.length + i] = Math.round(plane[i]! + 3 * view.normal()) // bounded by the loop
    }
    // Stored to the left, the back and the head, so that a slice is shown as it is drawn.
    const affine = [-2, 0, 0, pictureSize, 0, -2, 0, pictureSize, 0, 0, 8, 0]
    const volume = {
      shape: [pictureSize, pictureSize, sliceCount],
      dtype: 'int16',
      voxels,
      slope: 1,
      intercept: 0,
      spacing: [2, 2, 8],
      affine,
      warnings: [],
    } as const
    return { volume, findings }
  },
}

interface Head {
  readonly cx: number
  readonly cy: number
  readonly rx: number
  readonly ry: number
  /** -1 bleeds at the left of the picture, 1 at the right. */
  readonly side: number
  readonly seed: string
}

function drawHead(canvas: Canvas, { cx, cy, rx, ry, seed }: Head): Coverage {
  const random = randomStream(seed)
  const brain = ellipse({ cx, cy, rx: rx - 6, ry: ry - 6, softness: 0.03 })
  paint(canvas, ellipse({ cx, cy, rx, ry, softness: 0.03 }), hu.skin)
  paint(canvas, ellipse({ cx, cy, rx: rx - 2, ry: ry - 2, softness: 0.03 }), hu.bone)
  paint(canvas, brain, hu.brain)
  texture(canvas, brain, { noise: smoothNoise(random, 6), amplitude: 4 })
  for (const side of [-1, 1])
    paint(
      canvas,
      ellipse({ cx: cx + side * 6.5, cy: cy - 3, rx: 3.4, ry: 10, turn: side * 0.3, softness: 0.25 }),
      hu.fluid,
    )
  return brain
}

interface BleedingContext {
  readonly head: Head
  readonly brain: Coverage
  /** Shrinks the bleeding from slice to slice. */
  readonly scale: number
  readonly random: RandomStream
}

/** Where each haemorrhage lies: in the brain, along its surface as a crescent, or against the skull as a lens. */
const bleedings: Readonly<
  Record<string, { readonly look: string; readonly shape: (context: BleedingContext) => Coverage }>
> = {
  'Intraparenchymal Hemorrhage': {
    look: 'a bright clot inside the brain',
    shape: ({ head, scale, random }) => {
      const radius = random.between(8, 11) * scale
      const place = { cx: head.cx + head.side * random.between(14, 19), cy: head.cy + random.between(-16, 16) }
      return blob({ ...place, rx: radius, ry: radius, softness: 0.15 }, roughOutline(random, 0.12))
    },
  },
  'Subdural Hemorrhage': {
    look: 'a bright crescent along the brain surface',
    shape: ({ head, brain, scale, random }) => {
      const thickness = random.between(6, 9) * scale
      const inner = ellipse({
        cx: head.cx - head.side * thickness,
        cy: head.cy,
        rx: head.rx - 6,
        ry: head.ry - 4,
        softness: 0.05,
      })
      const half = ellipse({
        cx: head.cx + head.side * 40,
        cy: head.cy + random.between(-8, 8),
        rx: 38,
        ry: 36 * scale,
        softness: 0.1,
      })
      return both(without(brain, inner), half)
    },
  },
  'Epidural Hemorrhage': {
    look: 'a bright lens against the skull',
    shape: ({ head, brain, scale, random }) => {
      const at = { cx: head.cx + head.side * (head.rx - 6), cy: head.cy + random.between(-14, 14) }
      return both(
        brain,
        ellipse({ ...at, rx: random.between(11, 14) * scale, ry: random.between(13, 17) * scale, softness: 0.1 }),
      )
    },
  },
}

function finding(label: string, look: string, shape: Coverage): DrawnFinding {
  const mask = maskOf(shape)
  return { label, description: `${look}, ${placeOfMask(mask)}`, mask }
}

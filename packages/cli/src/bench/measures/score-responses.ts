import { combine, presets, scoreBatch, type MaskImage } from '@qoq-med/rewards'
import { z } from 'zod'
import { seededRandom } from '../base/seeded-random.ts'
import type { Measurement } from '../base/measurement.ts'

const Options = z.object({ questions: z.int(), groupSize: z.int(), characters: z.int(), maskSide: z.int() })

/** Labels of a question. */
export const labels = [
  'Atelectasis',
  'Cardiomegaly',
  'Consolidation',
  'Edema',
  'Effusion',
  'Mass',
  'Nodule',
  'Pneumonia',
]

/** The paper's reward of a training step's responses, each with boxes against its question's mask, which is new every time. */
export function scoreResponses(options: unknown): Measurement {
  const { questions, groupSize, characters, maskSide } = Options.parse(options)
  const random = seededRandom(7)
  const composite = combine(presets.paper)
  const masks = Array.from({ length: questions }, () => ellipse(maskSide, random))
  const responses = Array.from({ length: questions * groupSize }, () => response(characters, random))
  const round = async (): Promise<undefined> => {
    const truths = masks.map((mask, i) => ({
      answer: labels.filter((_, label) => (i + label) % 4 === 0),
      labels,
      mask: { ...mask },
      image: { width: maskSide, height: maskSide },
    }))
    await scoreBatch(
      composite,
      responses.map((text, i) => ({ response: text, truth: truths[Math.floor(i / groupSize)]! })),
    )
  }
  return { round }
}

function ellipse(side: number, random: () => number): MaskImage {
  const data = new Uint8Array(side * side)
  const at = (from: number, span: number): number => side * (from + span * random())
  const [cx, cy, rx, ry] = [at(0.25, 0.5), at(0.25, 0.5), at(0.04, 0.2), at(0.04, 0.2)]
  for (let i = 0; i < data.length; i++) {
    const inside = ((i % side) - cx) ** 2 / rx ** 2 + (Math.floor(i / side) - cy) ** 2 / ry ** 2 < 1
    data[i] = inside ? 255 : 0
  }
  return { width: side, height: side, data }
}

/** An answer of this length, with boxes and labels. */
export function response(characters: number, random: () => number): string {
  const whole = (limit: number): number => Math.floor(random() * limit)
  const chosen = labels.filter(() => random() < 0.3)
  const entries = chosen.map(label => {
    const [x, y] = [whole(400), whole(400)]
    return { bbox_2d: [x, y, x + 10 + whole(100), y + 10 + whole(100)], label }
  })
  const tail = `</think>\n\`\`\`json\n${JSON.stringify(entries)}\n\`\`\`\n\\boxed{${chosen.join(', ')}}`
  const sentence = 'The costophrenic angle [left] is blunted, and the silhouette (0.62) is enlarged. '
  return `<think>${sentence.repeat(99).slice(0, Math.max(0, characters - tail.length - 7))}${tail}`
}

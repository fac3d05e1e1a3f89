// Scores a training step's batch: 512 questions with 5 responses each and a 512 x 512 mask per question.
// Run: node --conditions=@qoq-med/source packages/rewards/bench/score.bench.ts
import { Bench } from 'tinybench'
import { combine, encodeMask, type MaskImage, maskIou, presets, scoreBatch, type Truth } from '../src/index.ts'

const [questions, rollouts, side] = [512, 5, 512]
const labels = ['Atelectasis', 'Cardiomegaly', 'Consolidation', 'Edema', 'Effusion', 'Mass', 'Nodule', 'Pneumonia']

/** Mulberry32: the same batch in every run. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const random = createRandom(7)

function whole(limit: number): number {
  return Math.floor(random() * limit)
}

/** A mask of one ellipse, or of noise, which has more runs than any segmentation. */
function maskOf(kind: 'ellipse' | 'noise'): MaskImage {
  const data = new Uint8Array(side * side)
  const [cx, cy, rx, ry] = [128 + whole(256), 128 + whole(256), 20 + whole(100), 20 + whole(100)]
  for (let i = 0; i < data.length; i++) {
    const inside = ((i % side) - cx) ** 2 / rx ** 2 + (Math.floor(i / side) - cy) ** 2 / ry ** 2 < 1
    data[i] = (kind === 'noise' ? random() < 0.5 : inside) ? 255 : 0
  }
  return { width: side, height: side, data }
}

function responseOf(characters: number): string {
  const chosen = labels.filter(() => random() < 0.3)
  const entries = chosen.map(label => {
    const [x, y] = [whole(400), whole(400)]
    return { bbox_2d: [x, y, x + 10 + whole(100), y + 10 + whole(100)], label }
  })
  const tail = `</think>\n\`\`\`json\n${JSON.stringify(entries)}\n\`\`\`\n\\boxed{${chosen.join(', ')}}`
  const sentence = 'The costophrenic angle [left] is blunted, and the silhouette (0.62) is enlarged. '
  return `<think>${sentence.repeat(99).slice(0, Math.max(0, characters - tail.length - 7))}${tail}`
}

/** Truths are made anew for every run, so that each run encodes all its masks. */
function truthsOf(masks: readonly MaskImage[]): readonly Truth[] {
  return masks.map((mask, i) => ({
    answer: labels.filter((_, label) => (i + label) % 4 === 0),
    labels,
    mask: { ...mask },
    image: { width: side, height: side },
  }))
}

const composite = combine(presets.paper)
const bench = new Bench({ time: 3000, warmupTime: 500, iterations: 8, warmupIterations: 3 })
const masks = Array.from({ length: questions }, () => maskOf('ellipse'))

for (const characters of [2000, 4000]) {
  const responses = Array.from({ length: questions * rollouts }, () => responseOf(characters))
  bench.add(
    `score ${responses.length} responses of ${responses[0]?.length} characters with 512 new masks`,
    async () => {
      const truths = truthsOf(masks)
      await scoreBatch(
        composite,
        responses.map((response, i) => ({ response, truth: truths[Math.floor(i / rollouts)]! })),
      )
    },
  )
}
bench.add('of which: encode 512 masks of 512 x 512', () => {
  for (const mask of masks) encodeMask({ ...mask })
})
const noise = maskOf('noise')
bench.add('encode one mask of noise', () => {
  encodeMask({ ...noise })
})
const boxes = Array.from({ length: 1000 }, () => {
  const [x1, y1] = [whole(400), whole(400)]
  return { x1, y1, x2: x1 + 10 + whole(100), y2: y1 + 10 + whole(100) }
})
for (const [kind, region] of [
  ['ellipse', encodeMask(masks[0]!)],
  ['noise', encodeMask(noise)],
] as const) {
  bench.add(`1,000 IoUs with a mask of ${kind}`, () => {
    for (const box of boxes) maskIou(box, region)
  })
}
await bench.run()
console.table(
  bench.tasks.map(({ name, result }) => ({
    name,
    'median ms': 'latency' in result ? result.latency.p50.toFixed(3) : result.state,
    'p99 ms': 'latency' in result ? result.latency.p99.toFixed(3) : '',
    runs: 'latency' in result ? result.latency.samplesCount : 0,
  })),
)

import type { RgbImage } from '@qoq-med/data-climb'
import type { GenerateRequest, Message, Policy } from '@qoq-med/model'
import { fakePolicy, type FakePolicy } from './fake-policy.testing.ts'

type SeenSize = NonNullable<Policy['seenSize']>

/** A box around the bright pixels of a picture, in its pixels; undefined where there are none. */
export function brightBox({ width, height, data }: RgbImage): [number, number, number, number] | undefined {
  let [x1, y1, x2, y2] = [width, height, 0, 0]
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (data[(y * width + x) * 3]! > 160) {
        x1 = Math.min(x1, x)
        y1 = Math.min(y1, y)
        x2 = Math.max(x2, x + 1)
        y2 = Math.max(y2, y + 1)
      }
  return x2 > x1 ? [x1, y1, x2, y2] : undefined
}

/** The pictures of messages, in their order. */
function picturesOf(messages: readonly Message[]): RgbImage[] {
  return messages.flatMap(({ content }) =>
    typeof content === 'string'
      ? []
      : content.flatMap(part => (part.type === 'image' ? [part.image] : part.type === 'video' ? part.frames : [])),
  )
}

/** A policy that finds what is bright in every picture, and answers in pixels of the pictures as it sees them. */
export function findingPolicy(label: string, seenSize: SeenSize): FakePolicy {
  const policy = fakePolicy()
  const answer = (prompt: GenerateRequest['prompt']): string => {
    const boxes = picturesOf('tokenIds' in prompt ? [] : prompt).flatMap((picture, image) => {
      const box = brightBox(picture)
      if (!box) return []
      const seen = seenSize(picture)
      const scale = [seen.width / picture.width, seen.height / picture.height]
      return [{ bbox_2d: box.map((value, i) => Math.round(value * scale[i % 2]!)), label, image }]
    })
    return `<think>It is bright.</think>\n\`\`\`json\n${JSON.stringify(boxes)}\n\`\`\`\n\\boxed{${label}}`
  }
  return {
    ...policy,
    seenSize,
    async *generate(asked) {
      policy.requests.push(...asked)
      const text = answer(asked[0]!.prompt)
      const completion = { tokenIds: Int32Array.of(1), logprobs: Float32Array.of(0), text, finish: 'end' } as const
      const usage = { promptTokens: 1, completionTokens: 1 }
      yield { type: 'sample-end', request: 0, sample: 0, text, completion, usage }
    },
  }
}

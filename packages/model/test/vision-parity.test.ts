import type { RgbImage } from '@qoq-med/encoders'
import { createOrtExecutor, type OrtExecutor } from '@qoq-med/tensor'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LocalPolicy } from '../src/policy/local-policy.ts'
import type { Completion } from '../src/generation/generate-request.ts'
import type { ContentPart } from '../src/prompt/message.ts'
import { largestDifference, readCases, type OracleCases } from './oracle-cases.ts'
import { missingOracles, oracleFile } from './oracle-folder.ts'
import { answersOf, greedyError, openPolicy, rowOf, textPrompt, weightPlaces, withModel } from './parity.ts'

interface VisionCase {
  readonly images: number[]
  readonly video: 'video4' | 'video6' | null
  readonly text: string
}

const framesOf = {
  video4: [0, 1, 2, 3].map(i => `raw/frame${i}`),
  video6: [0, 1, 2, 3, 4, 5].map(i => `raw/video6_frame${i}`),
}
const reason = missingOracles ? `: ${missingOracles}` : ''

describe.skipIf(missingOracles)(`the vision-language model matches transformers${reason}`, () => {
  const folder = oracleFile('models/qwen25vl_tiny')
  let executor: OrtExecutor
  let cases: OracleCases
  let described: Record<string, VisionCase>
  beforeAll(async () => {
    executor = await createOrtExecutor()
    cases = await readCases('models/qwen25vl_tiny_cases.safetensors')
    const text = await readFile(oracleFile('models/qwen25vl_tiny_cases.json'), 'utf8')
    described = (JSON.parse(text) as { cases: Record<string, VisionCase> }).cases // our own fixture
  })
  afterAll(() => executor.close())

  const picture = (name: string): RgbImage => {
    const [height, width] = cases.shape(name) as [number, number, number]
    return { height, width, data: cases.bytes(name) }
  }

  /** The message behind a case: its media in the order of the placeholders, its text between them. */
  function contentOf(name: string): ContentPart[] {
    const { images, video, text } = described[name]!
    const pictures = images.map(i => picture(`raw/image${i}`))
    const user = text.split('<|im_start|>user\n')[1]!.split('<|im_end|>')[0]!
    return user.split(/(<\|vision_start\|>.*?<\|vision_end\|>)/).flatMap((piece): ContentPart[] => {
      if (piece === '') return []
      if (piece.includes('<|image_pad|>')) return [{ type: 'image', image: pictures.shift()! }]
      if (piece.includes('<|video_pad|>')) return [{ type: 'video', frames: framesOf[video!].map(picture) }]
      return [{ type: 'text', text: piece }]
    })
  }

  const greedyCase = (name: string, completion: Completion, row = 0, rows = 1): number =>
    greedyError(completion, {
      ids: rowOf(cases.int32(`${name}/greedy_ids`), row, rows),
      logprobs: rowOf(cases.float32(`${name}/greedy_logprobs`), row, rows),
      margins: rowOf(cases.float32(`${name}/greedy_margin`), row, rows),
    })

  const encodedCase = (policy: LocalPolicy, name: string) =>
    policy.model.encode([{ role: 'user', content: contentOf(name) }])

  const names = ['text_only', 'one_image', 'two_images', 'video4', 'video6_positions_differ', 'mixed']

  const placed = weightPlaces.flatMap(place => names.map(name => ({ name, place })))

  test.for(placed)('$name $place: tokens, positions, logits, greedy answer and log-probabilities', async each => {
    const { name, place } = each
    await withModel(executor, { folder, place, mropeRule: 'hf5' }, async policy => {
      const prompt = encodedCase(policy, name)
      expect([...prompt.tokenIds]).toEqual([...cases.int32(`${name}/input_ids`)])
      expect([...prompt.positionIds]).toEqual([...cases.int32(`${name}/position_ids_hf5`)])
      expect(prompt.ropeDelta).toBe(cases.int32(`${name}/rope_delta_hf5`)[0])
      const [logits] = await policy.logits([prompt])
      expect(largestDifference(logits!, cases.float32(`${name}/logits_hf5`))).toBeLessThan(1e-4)
      const [greedy] = await answersOf(policy, [{ prompt, temperature: 0, maxNewTokens: 30 }])
      expect(greedyCase(name, greedy!)).toBeLessThan(5e-5)
      const completion = cases.int32(`${name}/response_ids`)
      for (const temperature of [1, 0.7]) {
        const [scored] = await policy.logprobs([{ prompt, completion }], { temperature })
        const want = cases.float32(`${name}/response_logprobs_T${temperature.toFixed(1)}`)
        expect(largestDifference(scored!, want)).toBeLessThan(5e-5)
      }
    })
  })

  test.for(names)('%s: positions of the older rule', async name => {
    const policy = await openPolicy(executor, folder)
    expect([...encodedCase(policy, name).positionIds]).toEqual([...cases.int32(`${name}/position_ids_legacy`)])
    await policy.close()
  })

  test('a long video gives the logits of the older rule', async () => {
    const policy = await openPolicy(executor, folder)
    const [logits] = await policy.logits([encodedCase(policy, 'video6_positions_differ')])
    expect(largestDifference(logits!, cases.float32('video6_positions_differ/logits_legacy'))).toBeLessThan(1e-4)
    await policy.close()
  })

  test.for(weightPlaces)('three prompts with one, no and two pictures answer in one batch, weights %s', async place => {
    await withModel(executor, { folder, place, mropeRule: 'hf5' }, async policy => {
      const mask = rowOf(cases.int32('batch_left/attention_mask'), 1, 3)
      const text = rowOf(cases.int32('batch_left/input_ids'), 1, 3).filter((_, i) => mask[i] === 1)
      const prompts = [encodedCase(policy, 'one_image'), textPrompt(text), encodedCase(policy, 'two_images')]
      const requests = prompts.map(prompt => ({ prompt, temperature: 0, maxNewTokens: 30 }))
      const errors = (await answersOf(policy, requests)).map((each, row) => greedyCase('batch_left', each, row, 3))
      expect(Math.max(...errors)).toBeLessThan(5e-5)
    })
  })

  test('bfloat16 shards in the style of the Hub give the logits of their weights', async () => {
    const full = await openPolicy(executor, folder)
    const policy = await openPolicy(executor, oracleFile('models/qwen25vl_tiny_hub_sharded_bf16'))
    const [logits] = await policy.logits([encodedCase(full, 'one_image')])
    const hub = await readCases('models/qwen25vl_tiny_hub_cases.safetensors')
    expect(largestDifference(logits!, hub.float32('one_image/logits_bf16weights_f32compute'))).toBeLessThan(1e-4)
    await Promise.all([policy.close(), full.close()])
  })
})

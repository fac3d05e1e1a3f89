import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { synthesise } from '@qoq-med/data-climb'
import { loadAdapter, loadModel, openModel } from '@qoq-med/model'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseConfig, train } from '../src/index.ts'
import { metrics, shortStage, smallConfig, stopAndResume } from './small-run.ts'

// The decoder, parts of the vision tower, and the projection of ECGs.
const lora = { rank: 2, alpha: 4, targets: ['model.layers.*', 'visual.*', 'time_series_embedding.linear'] }
const warm = { name: 'warm', algorithm: 'sft', steps: 4, batchSize: 4, microbatchSize: 2, learningRate: 2e-3, lora }
const rl = { ...shortStage, steps: 2, lora }

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qoq-frozen-'))
  process.env['QOQ_CACHE_DIR'] = join(folder, 'packed')
  await synthesise({ dir: join(folder, 'clinic'), seed: 7, size: 16, domains: ['ecg', 'mri'] })
  const start = { name: 'start', algorithm: 'sft', steps: 1, batchSize: 4, learningRate: 1e-3 }
  await train(smallConfig([start]), { baseFolder: folder, out: join(folder, 'start') })
})
afterAll(async () => {
  delete process.env['QOQ_CACHE_DIR']
  await rm(folder, { recursive: true, force: true })
})

const config = (stages: readonly unknown[], model: object = {}, rest: object = {}) => {
  const { data, threads, rewards } = smallConfig(stages)
  const { maxPixels: _, ...own } = data
  return parseConfig({
    name: 'frozen',
    threads,
    rewards,
    data: own,
    model: { checkpoint: 'start/model', ...model },
    stages,
    ...rest,
  })
}

const losses = async (run: string): Promise<number[]> =>
  (await metrics(run)).flatMap(({ stage, loss }) => (stage === 'warm' && typeof loss === 'number' ? [loss] : []))

describe('a run over a base that is frozen on disk', () => {
  test('learns what one over a base in memory does, and leaves its model', async () => {
    const [inMemory, onDisk] = [join(folder, 'in-memory'), join(folder, 'on-disk')]
    await train(config([warm]), { baseFolder: folder, out: inMemory })
    await train(config([warm], { weights: 'float32' }), { baseFolder: folder, out: onDisk })
    const want = await losses(inMemory)
    expect(want.length).toBe(4)
    ;(await losses(onDisk)).forEach((loss, i) => expect(Math.abs(loss - want[i]!)).toBeLessThan(1e-4))
    // No checkpoint holds a model, the end does: the base with the adapters merged.
    expect(await readdir(join(onDisk, 'checkpoints', 'stage-0-step-4'))).not.toContain('model')
    const cards = [onDisk, inMemory].map(run => readFile(join(run, 'model', 'README.md'), 'utf8'))
    expect((await cards[0])!.split('\n')[0]).toBe((await cards[1])!.split('\n')[0])
    const [merged, wanted] = await Promise.all([onDisk, inMemory].map(run => loadModel(join(run, 'model'))))
    for (const { name } of wanted!.store.parameters) {
      const [got, expected] = [merged!.store.weights(name), wanted!.store.weights(name)]
      expect(got.every((value, i) => Math.abs(value - expected[i]!) < 1e-3)).toBe(true)
    }
    const opened = await openModel(join(folder, 'start', 'model'))
    const { adapters, weights } = await loadAdapter(join(onDisk, 'adapter'), opened.model)
    await opened.close()
    const moved = [...adapters.targets.values()].filter(({ up }) => weights(up).some(value => value !== 0))
    expect(moved.length).toBe(adapters.targets.size)
  })

  test.for(['bfloat16', 'int8', 'int4'] as const)(
    'trains two stages, samples as it trains, and resumes to the same bits: %s',
    { timeout: 300_000 },
    async weights => {
      const stages = [{ ...warm, steps: 2 }, rl]
      const [whole, resumed] = [join(folder, `${weights}-whole`), join(folder, `${weights}-resumed`)]
      await train(config(stages, { weights }), { baseFolder: folder, out: whole })
      const lines = await metrics(whole)
      const gaps = lines.flatMap(({ logprobGap }) => (typeof logprobGap === 'number' ? [logprobGap] : []))
      expect(gaps.length).toBe(2)
      expect(Math.max(...gaps)).toBeLessThan(1e-4)
      await stopAndResume(config(stages, { weights }), { baseFolder: folder, out: resumed, after: 1 })
      expect(await metrics(resumed)).toEqual(lines)
      const file = 'adapter/adapter_model.safetensors'
      expect(await readFile(join(resumed, file))).toEqual(await readFile(join(whole, file)))
    },
  )

  test.for([
    { name: 'no adapters', stages: [{ ...warm, lora: undefined }], says: 'the stage needs lora' },
    { name: 'a critic', stages: [{ ...rl, algorithm: 'ppo' }], says: 'a critic trains all weights' },
    { name: 'other adapters', stages: [warm, { ...rl, lora: { ...lora, rank: 4 } }], says: 'the same adapters' },
    { name: 'another device', stages: [warm], rest: { device: 'tfjs' }, says: 'by the cpu alone' },
    {
      name: 'a preset',
      stages: [warm],
      model: { checkpoint: undefined, preset: 'qoq-nano' },
      says: 'only a checkpoint',
    },
  ])('is refused with $name', ({ stages, rest, model, says }) => {
    expect(() => config(stages, { ...model, weights: 'int4' }, rest)).toThrow(says)
  })
})

describe('data.maxPixels beside a checkpoint', () => {
  test.for([{}, { weights: 'int4' }])('limits pictures, and is written with what is saved: %o', async model => {
    const out = join(folder, `pixels-${Object.keys(model).length}`)
    const { data } = config([warm])
    const run = config([{ ...warm, steps: 1 }], model, { data: { ...data, maxPixels: 6272 } })
    await train(run, { baseFolder: folder, out })
    const saved = await openModel(join(out, 'model'))
    await saved.close()
    expect(saved.model.imageProcessor.maxPixels).toBe(6272)
    const document = JSON.parse(await readFile(join(out, 'model', 'preprocessor_config.json'), 'utf8'))
    expect(document.max_pixels).toBe(6272)
  })
})

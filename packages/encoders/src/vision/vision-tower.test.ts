import {
  createOrtExecutor,
  dense,
  denseIndices,
  denseOps,
  evaluateGraph,
  gradients,
  graphOps,
  type Dense,
  type OrtExecutor,
} from '@qoq-med/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  fixturePath,
  maxAbsDifference,
  oraclePath,
  oracles,
  readJson,
  readSafetensors,
  type OracleFile,
} from '../../test/oracle-files.ts'
import { batchGraph, runDense, runOrt, type Parameters } from '../../test/run-encoder.ts'
import { constantInputs } from '../encoder.ts'
import { defaultImageProcessor, processImage, type GridThw, type PixelPatches } from './image-processor.ts'
import { readVisionConfig, type VisionConfig } from './vision-config.ts'
import { visionBatch } from './vision-encoder.ts'
import { planVision } from './vision-plan.ts'
import { weightLayers } from '../layers.ts'
import { visionBlocks } from './vision-tower.ts'

const tiny: VisionConfig = readVisionConfig({
  depth: 3,
  hidden_size: 32,
  intermediate_size: 52,
  num_heads: 2,
  out_hidden_size: 64,
  window_size: 56,
  fullatt_block_indexes: [1],
})
const fixture = readSafetensors(fixturePath('vision-tiny.safetensors'))
const parameters: Parameters = name => ({ dtype: 'float32', ...fixture.f32(name) })
const shape = fixture.u8('raw/image0').shape
const image0 = processImage(
  { height: shape[0]!, width: shape[1]!, data: fixture.u8('raw/image0').data },
  { ...defaultImageProcessor, minPixels: 784, maxPixels: 18_816 },
)
const wanted = fixture.f32('one_image/vision_image_out').data

function cased(file: OracleFile, name: string): PixelPatches {
  const gridThw = [...file.i32(`prep/${name}/grid_thw`).data] as unknown as GridThw // three numbers
  return { gridThw, pixelValues: file.f32(`prep/${name}/pixel_values`).data }
}

/** Hidden states before the merger, as transformers orders them: windows without padding. */
function hiddenInWindowOrder(items: readonly PixelPatches[]): number[] {
  const batch = visionBatch(tiny, items)
  const plan = planVision(
    tiny,
    items.map(item => item.gridThw),
  )
  const input = constantInputs(denseOps, batch)
  const hidden = visionBlocks(
    denseOps,
    weightLayers(denseOps, name =>
      denseOps.constant(fixture.f32(`visual.${name}`).data, fixture.f32(`visual.${name}`).shape),
    ),
    tiny,
    plan,
    {
      pixelValues: input('pixelValues'),
      cos: input('cos'),
      sin: input('sin'),
      keyMask: plan.keyMask && input('keyMask'),
      slotOfToken: input('slotOfToken'),
    },
  ).data as Float64Array // a float by its type
  const rows = [...plan.patchOfSlot.keys()].filter(slot => plan.patchOfSlot[slot]! >= 0)
  return rows.flatMap(slot => [...hidden.subarray(slot * 32, (slot + 1) * 32)])
}

let executor: OrtExecutor
beforeAll(async () => {
  executor = await createOrtExecutor({ threads: 1 })
})
afterAll(() => executor.close())

describe('visionTower', () => {
  test('equals transformers on an image, in plain arithmetic and in ONNX Runtime', async () => {
    const batch = visionBatch(tiny, [image0])
    expect(maxAbsDifference(runDense(batch, parameters), wanted)).toBeLessThan(1e-5)
    expect(maxAbsDifference(await runOrt(executor, batch, parameters), wanted)).toBeLessThan(1e-5)
  })

  test('has the hidden states of transformers before the merger', () => {
    const want = fixture.f32('one_image/vision_image_prehidden_window_order').data
    expect(maxAbsDifference(hiddenInWindowOrder([image0]), want)).toBeLessThan(2e-5)
  })

  test.skipIf(!oracles.present)(`orders windows as transformers where sizes are mixed${oracles.why}`, () => {
    const file = readSafetensors(oraclePath('models/qwen25vl_tiny_cases.safetensors'))
    for (const [case_, names] of [
      ['two_images', ['image0', 'image1']],
      ['mixed', ['image2', 'image1']],
    ] as const) {
      const want = file.f32(`${case_}/vision_image_prehidden_window_order`).data
      const got = hiddenInWindowOrder(names.map(name => cased(file, name)))
      expect(maxAbsDifference(got, want)).toBeLessThan(2e-5)
    }
  })

  test.skipIf(!oracles.present)(`equals transformers on images, clips and mixed sizes${oracles.why}`, async () => {
    const file = readSafetensors(oraclePath('models/qwen25vl_tiny_cases.safetensors'))
    const cases = [
      { items: ['image0'], want: 'one_image/vision_image' },
      { items: ['image0', 'image1'], want: 'two_images/vision_image' },
      { items: ['image2', 'image1'], want: 'mixed/vision_image' },
      { items: ['video4'], want: 'mixed/vision_video' },
      { items: ['video4'], want: 'video4/vision_video' },
      { items: ['video6'], want: 'video6_positions_differ/vision_video' },
    ]
    for (const { items: names, want } of cases) {
      const items = names.map(name => cased(file, name))
      const batch = visionBatch(tiny, items)
      const out = file.f32(`${want}_out`).data
      expect(maxAbsDifference(runDense(batch, parameters), out)).toBeLessThan(1e-5)
      expect(maxAbsDifference(await runOrt(executor, batch, parameters), out)).toBeLessThan(1e-5)
    }
  })

  test('gives every image the same tokens alone, beside others and in a bucket', async () => {
    const small = processImage(
      { width: 60, height: 60, data: new Uint8Array(10_800).map((_, i) => (i * 37) % 251) },
      {
        ...defaultImageProcessor,
        minPixels: 784,
      },
    )
    const alone = [image0, small].flatMap(item => [
      ...(runDense(visionBatch(tiny, [item]), parameters) as Float64Array),
    ])
    const together = visionBatch(tiny, [image0, small])
    expect(maxAbsDifference(runDense(together, parameters), alone)).toBeLessThan(1e-9)
    const bucket = visionBatch(tiny, [image0, small], { segments: 4, windows: 8, tokens: 32 })
    const padded = await runOrt(executor, bucket, parameters)
    expect(maxAbsDifference(padded.subarray(0, alone.length), alone)).toBeLessThan(1e-5)
    expect(padded).toHaveLength(32 * 64)
    expect(padded.every(Number.isFinite)).toBe(true)
  })
})

function blank(rows: number, columns: number): PixelPatches {
  return { gridThw: [1, rows, columns], pixelValues: new Float32Array(rows * columns * 1176) }
}

describe('the gradient of visionTower', () => {
  test('equals central differences in padded windows', () => {
    const batch = visionBatch(tiny, [image0])
    const { graph, output, weights, feeds } = batchGraph(batch, parameters)
    const ops = graphOps(graph)
    const loss = ops.mean(ops.mul(output, ops.tanh(output)), { axis: [0, 1] })
    graph.output('loss', loss)
    const names = [
      'blocks.0.attn.qkv.weight',
      'blocks.1.attn.qkv.bias',
      'blocks.2.mlp.up_proj.weight',
      'merger.ln_q.weight',
    ]
    const checked = names.map(name => `visual.${name}`)
    const gradientOf = gradients(
      graph,
      loss,
      checked.map(name => weights.get(name)!),
    ) // the tower asks for them
    gradientOf.forEach((gradient, i) => graph.output(checked[i]!, gradient))
    const values = new Map(
      graph.inputs.map(({ name, tensor }) => [
        name,
        tensor.dtype === 'int32'
          ? denseIndices(feeds[name] as Int32Array, tensor.shape)
          : dense(feeds[name] as Float32Array, tensor.shape),
      ]),
    )
    const evaluate = (): Record<string, Dense> => evaluateGraph(graph, Object.fromEntries(values))
    const found = evaluate()
    for (const name of checked) {
      const entries = values.get(name)!.data as Float64Array // a parameter
      const at = Math.floor(entries.length / 3)
      const lossAt = (change: number): number => {
        const before = entries[at]!
        entries[at] = before + change
        const { data } = evaluate()['loss']!
        entries[at] = before
        return Number(data[0])
      }
      const slope = (lossAt(1e-4) - lossAt(-1e-4)) / 2e-4
      expect(Math.abs(Number(found[name]!.data[at]) - slope)).toBeLessThan(1e-6 * Math.max(1, Math.abs(slope)))
      expect(Math.abs(slope)).toBeGreaterThan(1e-9)
    }
  })
})

describe('visionBatch', () => {
  test('has one key for batches of one shape', () => {
    const other = { ...image0, pixelValues: image0.pixelValues.map(value => -value) }
    expect(visionBatch(tiny, [other]).key).toBe(visionBatch(tiny, [image0]).key)
    expect(visionBatch(tiny, [image0, image0]).key).not.toBe(visionBatch(tiny, [image0]).key)
  })

  test('has one key for batches of one bucket', () => {
    const bucket = { segments: 3, windows: 6, places: 64, tokens: 60 }
    const keys = [[image0], [blank(4, 4), image0], [blank(4, 4)]].map(items => visionBatch(tiny, items, bucket).key)
    expect(keys).toEqual([keys[0], keys[0], keys[0]])
  })

  test('refuses a bucket that is too small, and a grid that is not its pixels', () => {
    expect(() => visionBatch(tiny, [image0, image0], { segments: 1 })).toThrow(
      expect.objectContaining({ code: 'ENCODERS_VISION_BUCKET' }),
    )
    const thrown = expect.objectContaining({ code: 'ENCODERS_GRID' })
    expect(() => visionBatch(tiny, [{ ...image0, gridThw: [1e6, 6, 10] }])).toThrow(thrown)
    expect(() => planVision(tiny, [[1, 5, 10]])).toThrow(thrown)
  })
})

describe('readVisionConfig', () => {
  test.skipIf(!oracles.present)(`reads the oracle's config${oracles.why}`, () => {
    const { vision_config } = readJson(oraclePath('models/qwen25vl_tiny/config.json')) as {
      vision_config: Record<string, unknown>
    }
    expect(readVisionConfig(vision_config)).toEqual(tiny)
  })

  test('refuses sizes that do not fit', () => {
    const thrown = expect.objectContaining({ code: 'ENCODERS_CONFIG' })
    for (const field of [
      { depth: -1 },
      { hidden_size: 30 },
      { window_size: 20 },
      { fullatt_block_indexes: 3 },
      { hidden_act: 'gelu' },
      { depth: 1e12 },
    ])
      expect(() => readVisionConfig(field)).toThrow(thrown)
  })
})

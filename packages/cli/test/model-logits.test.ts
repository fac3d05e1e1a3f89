import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openSafetensors, type TensorToWrite, writeSafetensors } from '@qoq-med/model'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errorOf, runInProcess } from '../src/run-in-process.testing.ts'
import { writeTinyModel } from '../src/tiny-model.testing.ts'
import { sharedFile, whySkipped } from './oracle-folder.ts'

let cwd = ''
const run = (...argv: string[]) => runInProcess(argv, { cwd })

beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'qoq-logits-'))
  await writeTinyModel(path.join(cwd, 'tiny'))
})
afterAll(() => rm(cwd, { recursive: true, force: true }))

interface Tensor {
  readonly shape: readonly number[]
  readonly data: Float32Array | Int32Array
}

async function readTensors(file: string): Promise<Map<string, Tensor>> {
  const opened = await openSafetensors(file)
  const tensors = new Map<string, Tensor>()
  for (const entry of opened.entries) {
    const isInteger = entry.dtype === 'I32' || entry.dtype === 'I64'
    if (!isInteger && entry.dtype !== 'F32') continue
    const data = isInteger ? await opened.readInt32(entry) : await opened.readFloat32(entry)
    tensors.set(entry.name, { shape: entry.shape, data })
  }
  await opened.close()
  return tensors
}

function inputIds(ids: readonly number[], shape: readonly number[]): TensorToWrite {
  return { name: 'input_ids', shape, data: BigInt64Array.from(ids, BigInt) }
}

describe('qoq model logits', () => {
  test('writes logits [B, T, V] and position ids [3, B, T], zeros where the batch is padded', async () => {
    const mask: TensorToWrite = {
      name: 'attention_mask',
      shape: [2, 3],
      data: BigInt64Array.from([0n, 1n, 1n, 1n, 1n, 1n]),
    }
    await writeSafetensors(path.join(cwd, 'in.safetensors'), [inputIds([0, 5, 6, 5, 6, 7], [2, 3]), mask])
    const argv = ['model', 'logits', 'tiny', '--inputs', 'in.safetensors', '--out', 'deep/out.safetensors', '--json']
    const { exitCode, stdout } = await run(...argv)
    expect(exitCode).toBe(0)
    const file = path.join(cwd, 'deep/out.safetensors')
    expect(JSON.parse(stdout)).toEqual({ out: file })
    const tensors = await readTensors(file)
    const { shape, data } = tensors.get('logits')!
    const width = shape[2]!
    expect(shape.slice(0, 2)).toEqual([2, 3])
    expect(data.slice(0, width).every(value => value === 0)).toBe(true)
    // The first row is the second one's beginning, one place later: causal, and positions count from the first token.
    const [first, second] = [data.slice(width, 3 * width), data.slice(3 * width, 5 * width)]
    expect(Math.max(...first.map((value, i) => Math.abs(value - second[i]!)))).toBeLessThan(1e-5)
    expect(tensors.get('position_ids')!.shape).toEqual([3, 2, 3])
    expect(await readdir(path.join(cwd, 'deep'))).toEqual(['out.safetensors'])
  })

  test.for([
    { name: 'a missing inputs file', inputs: 'none.safetensors', code: 'CLI_FILE_MISSING', exitCode: 2 },
    {
      name: 'a file that is no safetensors',
      inputs: 'tiny/config.json',
      code: 'MODEL_SAFETENSORS_INVALID',
      exitCode: 2,
    },
    { name: 'inputs without token ids', inputs: 'empty.safetensors', code: 'MODEL_INPUT_INVALID', exitCode: 2 },
  ])('refuses $name and writes nothing', async ({ inputs, code, exitCode }) => {
    await writeSafetensors(path.join(cwd, 'empty.safetensors'), [{ name: 'x', shape: [1], data: new Int32Array(1) }])
    const result = await run('model', 'logits', 'tiny', '--inputs', inputs, '--out', 'bad/out.safetensors', '--json')
    expect(result.exitCode).toBe(exitCode)
    expect(errorOf(result).code).toBe(code)
    expect(await readdir(path.join(cwd, 'bad')).catch(() => [])).toEqual([])
  })

  test('says where it cannot write, and fails with exit code 1', async () => {
    await writeSafetensors(path.join(cwd, 'one.safetensors'), [inputIds([5], [1, 1])])
    const argv = ['model', 'logits', 'tiny', '--inputs', 'one.safetensors', '--out', 'tiny/config.json/x', '--json']
    const result = await run(...argv)
    expect(result.exitCode).toBe(1)
    expect(errorOf(result)).toMatchObject({
      code: 'CLI_FILE_UNWRITABLE',
      message: expect.stringContaining('config.json/x'),
    })
  })
})

describe('qoq model embed', () => {
  test('writes the embeddings of ECGs, one per patch', async () => {
    const ecg = {
      name: 'ecg',
      shape: [2, 8, 2500],
      data: new Float32Array(2 * 8 * 2500).map((_, i) => Math.sin(i / 9)),
    }
    await writeSafetensors(path.join(cwd, 'ecg.safetensors'), [ecg])
    const { exitCode } = await run('model', 'embed', 'tiny', '--inputs', 'ecg.safetensors', '--out', 'e.safetensors')
    expect(exitCode).toBe(0)
    const { shape } = (await readTensors(path.join(cwd, 'e.safetensors'))).get('ecg_embeds')!
    expect(shape).toEqual([2, 160, 64])
  })

  test.for([
    { name: 'a missing checkpoint', model: 'none.pth', code: 'CLI_FILE_MISSING' },
    { name: 'a checkpoint that is none', model: 'fake.pth', code: 'MODEL_PTH_INVALID' },
  ])('refuses $name and writes nothing', async ({ model, code }) => {
    await writeFile(path.join(cwd, 'fake.pth'), 'not a zip archive')
    await writeSafetensors(path.join(cwd, 'any.safetensors'), [{ name: 'ecg', shape: [1], data: new Float32Array(1) }])
    const argv = ['model', 'embed', model, '--inputs', 'any.safetensors', '--out', 'no/e.safetensors', '--json']
    const result = await run(...argv)
    expect(result.exitCode).toBe(2)
    expect(errorOf(result).code).toBe(code)
    expect(await readdir(path.join(cwd, 'no')).catch(() => [])).toEqual([])
  })
})

const ecg = 'oracles/ecg'
const ecgReason = whySkipped(ecg)

describe.skipIf(ecgReason)(
  `qoq model embed of a bare ECG-JEPA checkpoint against the official code${ecgReason}`,
  () => {
    test.for([{ sizes: 'inferred' }, { sizes: 'given' }])('sizes $sizes', async ({ sizes }) => {
      const want = await readTensors(sharedFile(`${ecg}/ecgjepa_tiny_forward.safetensors`))
      await writeSafetensors(path.join(cwd, 'leads.safetensors'), [{ name: 'ecg', ...want.get('x')! }])
      const { tiny_config: fields }: { tiny_config: object } = JSON.parse(
        await readFile(sharedFile(`${ecg}/ecgjepa.json`), 'utf8'),
      )
      await writeFile(path.join(cwd, 'sizes.json'), JSON.stringify(fields))
      const checkpoint = sharedFile(`${ecg}/ecgjepa_tiny_encoder.pth`)
      const argv = ['model', 'embed', checkpoint, '--inputs', 'leads.safetensors', '--out', 'jepa.safetensors']
      const { exitCode, stderr } = await run(...argv, ...(sizes === 'given' ? ['--config', 'sizes.json'] : []))
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
      const got = (await readTensors(path.join(cwd, 'jepa.safetensors'))).get('ecg_embeds')!
      const expected = want.get('token_embeddings')!
      expect(got.shape).toEqual(expected.shape)
      const differences = Array.from(got.data, (value, i) => Math.abs(value - expected.data[i]!))
      expect(differences.reduce((worst, value) => Math.max(worst, value), 0)).toBeLessThan(1e-5)
    })
  },
)

const oracles = 'oracles/models'
const reason = whySkipped(oracles)

describe.skipIf(reason)(`qoq model logits against transformers${reason}`, () => {
  test.for(['text_only', 'one_image', 'two_images', 'video4', 'mixed'])('%s', async name => {
    const cases = await readTensors(sharedFile(`${oracles}/qwen25vl_tiny_cases.safetensors`))
    await writeSafetensors(path.join(cwd, 'case.safetensors'), await caseInputs(cases, name))
    const folder = sharedFile(`${oracles}/qwen25vl_tiny`)
    const files = ['--inputs', 'case.safetensors', '--out', 'logits.safetensors']
    const { exitCode, stderr } = await run('model', 'logits', folder, ...files, '--mrope-rule', 'hf5')
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
    const got = await readTensors(path.join(cwd, 'logits.safetensors'))
    expect([...got.get('position_ids')!.data]).toEqual([...cases.get(`${name}/position_ids_hf5`)!.data])
    const [width, logits] = [got.get('logits')!.shape[2]!, got.get('logits')!.data]
    const rows = cases.get(`${name}/logit_rows`)!.data
    const want = cases.get(`${name}/logits_hf5`)!.data
    const differences = [...rows].flatMap((row, i) =>
      Array.from({ length: width }, (_, v) => Math.abs(logits[row * width + v]! - want[i * width + v]!)),
    )
    expect(differences.reduce((worst, value) => Math.max(worst, value), 0)).toBeLessThan(1e-4)
  })
})

describe.skipIf(reason)(`qoq model logits of text models against transformers${reason}`, () => {
  test.for(['qwen2_text_tiny', 'qwen2_text_tied', 'qwen2_text_sharded_bf16'])('%s, a left-padded batch', async name => {
    const cases = await readTensors(sharedFile(`${oracles}/${name}_cases.safetensors`))
    const inputs = ['input_ids', 'attention_mask'].map(input => ({ name: input, ...cases.get(input)! }))
    await writeSafetensors(path.join(cwd, 'text.safetensors'), inputs)
    const files = ['--inputs', 'text.safetensors', '--out', 'text-logits.safetensors']
    const { exitCode } = await run('model', 'logits', sharedFile(`${oracles}/${name}`), ...files)
    expect(exitCode).toBe(0)
    const got = (await readTensors(path.join(cwd, 'text-logits.safetensors'))).get('logits')!
    const [width, want] = [got.shape[2]!, cases.get('logits_valid_rows')!.data]
    const valid = [...cases.get('attention_mask')!.data.keys()].filter(i => cases.get('attention_mask')!.data[i] === 1)
    const worst = valid.map((row, i) =>
      Math.max(
        ...got.data.slice(row * width, (row + 1) * width).map((value, v) => Math.abs(value - want[i * width + v]!)),
      ),
    )
    expect(want).toHaveLength(valid.length * width)
    expect(Math.max(...worst)).toBeLessThan(1e-4)
  })
})

/** Which prepared media a case shows. */
interface CaseMedia {
  readonly images: readonly number[]
  readonly video: string | null
}

/** The tensors that transformers was given for a case. */
async function caseInputs(cases: ReadonlyMap<string, Tensor>, name: string): Promise<TensorToWrite[]> {
  const text = await readFile(sharedFile(`${oracles}/qwen25vl_tiny_cases.json`), 'utf8')
  const { cases: described }: { cases: Record<string, CaseMedia> } = JSON.parse(text)
  const { images, video } = described[name]!
  const pictures = images.map(i => cases.get(`prep/image${i}/pixel_values`)!)
  const clip = video === null ? [] : [cases.get(`prep/${video}/pixel_values`)!]
  const given = ['input_ids', 'image_grid_thw', 'video_grid_thw'].flatMap(input => {
    const tensor = cases.get(`${name}/${input}`)
    return tensor === undefined ? [] : [{ name: input, ...tensor }]
  })
  return [...given, ...stacked('pixel_values', pictures), ...stacked('pixel_values_videos', clip)]
}

function stacked(name: string, parts: readonly Tensor[]): TensorToWrite[] {
  if (parts.length === 0) return []
  const data = Float32Array.from(parts.flatMap(part => [...part.data]))
  const rows = parts.reduce((sum, part) => sum + part.shape[0]!, 0)
  return [{ name, shape: [rows, parts[0]!.shape[1]!], data }]
}

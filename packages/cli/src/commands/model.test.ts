import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openDataset, synthesise } from '@qoq-med/data-climb'
import { writeSafetensors } from '@qoq-med/model'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errorOf, runInProcess } from '../run-in-process.testing.ts'
import { executorDevices } from '@qoq-med/tensor'
import { deviceArgument } from '../local-policy.ts'
import { changeConfig, writeTinyModel } from '../tiny-model.testing.ts'

let cwd = ''
const run = (...argv: string[]) => runInProcess(argv, { cwd })

beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'qoq-model-'))
  await writeTinyModel(path.join(cwd, 'tiny'))
  await cp(path.join(cwd, 'tiny'), path.join(cwd, 'misshapen'), { recursive: true })
  await changeConfig(path.join(cwd, 'misshapen'), { intermediate_size: 80 })
  await cp(path.join(cwd, 'tiny'), path.join(cwd, 'misnamed'), { recursive: true })
  await changeConfig(path.join(cwd, 'misnamed'), { model_type: 'qwen9' })
  await synthesise({ dir: path.join(cwd, 'clinic'), seed: 3, size: 40, domains: ['mri', 'ecg'] })
  const text = [{ role: 'user', content: 'Which label fits?' }]
  await writeFile(path.join(cwd, 'text.json'), JSON.stringify(text))
})
afterAll(() => rm(cwd, { recursive: true, force: true }))

/** The first picture and the first record of the clinic. */
const media = { image: 'clinic/mri/images', ecg: 'clinic/ecg/records' }

async function firstFile(folder: string, suffix: string): Promise<string> {
  const names = await readdir(path.join(cwd, folder))
  return path.posix.join(folder, names.toSorted().find(name => name.endsWith(suffix)) ?? '')
}

async function draw(seed: string): Promise<string> {
  const argv = ['model', 'generate', 'tiny', '--messages', 'text.json', '--max-new-tokens', '12', '--json']
  return (await run(...argv, '--temperature', '1', '--seed', seed)).stdout
}

describe('qoq model info', () => {
  test('says what a folder holds', async () => {
    const { exitCode, stdout } = await run('model', 'info', 'tiny', '--json')
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'tiny',
      family: 'qwen2_5_vl',
      config: { decoder: { hiddenSize: 64, numLayers: 1 } },
      parameters: { total: expect.any(Number) },
    })
    expect((await run('model', 'info', 'tiny')).stdout).toMatch(/^modalities +text, image, video, ecg$/m)
  })

  test.for([
    { name: 'a folder that is none', folder: 'clinic', code: 'MODEL_FOLDER_INVALID', says: 'config.json' },
    { name: 'a checkpoint of another shape', folder: 'misshapen', code: 'MODEL_TENSOR_SHAPE', says: '80' },
    { name: 'an unknown family', folder: 'misnamed', code: 'MODEL_CONFIG_UNSUPPORTED', says: 'qwen9' },
  ])('refuses $name in one sentence', async ({ folder, code, says }) => {
    for (const argv of [
      ['model', 'info', folder],
      ['ask', '--model', folder, 'What is it?'],
    ]) {
      const result = await run(...argv, '--json')
      expect(result.exitCode).toBe(2)
      expect(errorOf(result).code).toBe(code)
      expect(errorOf(result).message).toContain(says)
      expect(errorOf(result).message).not.toContain('\n')
    }
  })
})

describe('qoq model convert', () => {
  test('writes another type in shards, and the model answers on', async () => {
    const argv = ['model', 'convert', 'tiny', 'tiny-f16', '--dtype', 'f16', '--shard-size', '100KB']
    const { exitCode, stdout } = await run(...argv, '--json')
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ target: path.join(cwd, 'tiny-f16'), parameters: expect.any(Number) })
    expect(
      (await readdir(path.join(cwd, 'tiny-f16'))).filter(name => name.endsWith('.safetensors')).length,
    ).toBeGreaterThan(2)
    expect(JSON.parse((await run('model', 'info', 'tiny-f16', '--json')).stdout).dtypes).toEqual({
      F16: expect.any(Number),
    })
    const info = (await run('model', 'info', 'tiny-f16')).stdout
    expect(info).toMatch(
      /^answering float32 +[\d.]+ [KMG]B \(weights [\d.]+ [KMG]B, .*context of 2,048 [\d.]+ [KMG]B.*\)$/m,
    )
    expect(info).toMatch(/^cachePerToken +[\d,.]+ K?B$/m)
    expect(info).toMatch(/^memoryForTraining +[\d.]+ MB, and activations$/m)
    const generate = ['model', 'generate', 'tiny-f16', '--messages', 'text.json', '--max-new-tokens', '2', '--json']
    expect((await run(...generate)).exitCode).toBe(0)
    expect(errorOf(await run(...argv, '--json')).code).toBe('MODEL_OUTPUT_EXISTS')
    expect((await run(...argv, '--force')).stdout).toMatch(/^Wrote \d+ tensors/)
  })

  test('turns bare tensors into safetensors, which info describes', async () => {
    await writeSafetensors(path.join(cwd, 'bare.safetensors'), [{ name: 'a', shape: [2], data: Float32Array.of(1, 2) }])
    expect(
      (await run('model', 'convert', 'bare.safetensors', 'bare-bf16.safetensors', '--dtype', 'bf16')).exitCode,
    ).toBe(0)
    const { stdout } = await run('model', 'info', 'bare-bf16.safetensors', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ family: 'unknown', tensors: 1, dtypes: { BF16: 2 } })
  })

  test.for([
    { name: 'a missing file', argv: ['no.gguf', 'out'], code: 'CLI_FILE_MISSING' },
    { name: 'a folder that is no model', argv: ['clinic', 'out'], code: 'MODEL_FOLDER_INVALID' },
    { name: 'an unknown type', argv: ['tiny', 'out', '--dtype', 'f8'], code: 'CLI_VALUE_INVALID' },
    { name: 'a size without a unit', argv: ['tiny', 'out', '--shard-size', 'many'], code: 'CLI_VALUE_INVALID' },
    { name: 'a target of another kind', argv: ['tiny', 'out.gguf'], code: 'MODEL_CONVERT_TARGET' },
    { name: 'an adapter that is none', argv: ['tiny', 'out', '--adapter', 'clinic'], code: 'MODEL_ADAPTER_INVALID' },
  ])('refuses $name', async ({ argv, code }) => {
    const result = await run('model', 'convert', ...argv, '--json')
    expect(result.exitCode).toBe(2)
    expect(errorOf(result).code).toBe(code)
    expect(await readdir(cwd)).not.toContain('out')
  })
})

describe('qoq model generate', () => {
  test('answers with text, tokens and log-probabilities, the same twice', async () => {
    const argv = ['model', 'generate', 'tiny', '--messages', 'text.json', '--max-new-tokens', '5', '--json']
    const { exitCode, stdout } = await run(...argv)
    expect(exitCode).toBe(0)
    const answer = JSON.parse(stdout)
    expect(Object.keys(answer)).toEqual(['text', 'tokens', 'logprobs', 'prompt_tokens', 'finish'])
    expect(answer.tokens.length).toBe(answer.logprobs.length)
    expect(answer.logprobs.every((logprob: number) => logprob <= 0)).toBe(true)
    expect(answer.prompt_tokens).toBeGreaterThan(5)
    expect((await run(...argv)).stdout).toBe(stdout)
  })

  test('draws by the seed where there is a temperature', async () => {
    expect(await draw('1')).toBe(await draw('1'))
    expect(await draw('1')).not.toBe(await draw('2'))
  })

  test('reads pictures, frames and ECGs by their paths', async () => {
    const [image, ecg] = [await firstFile(media.image, '.png'), await firstFile(media.ecg, '.hea')]
    const parts = [
      { type: 'image', image },
      { type: 'video', video: [image, image] },
      { type: 'ecg', ecg },
    ]
    const messages = [{ role: 'user', content: [...parts, { type: 'text', text: 'What is it?' }] }]
    await writeFile(path.join(cwd, 'media.json'), JSON.stringify(messages))
    const argv = ['model', 'generate', 'tiny', '--messages', 'media.json', '--max-new-tokens', '2', '--json']
    const { stdout } = await run(...argv)
    // 32 ECG positions, and the merged patches of two pictures.
    expect(JSON.parse(stdout).prompt_tokens).toBeGreaterThan(32 + 16)
    process.env['QOQ_CACHE_DIR'] = path.join(cwd, 'packed')
    try {
      for (const kept of [
        '--weights int4',
        '--weights bfloat16 --cache-type float16',
        '--weights int8 --cache-type int8',
      ]) {
        const packed = await run(...argv, ...kept.split(' '))
        expect(packed.exitCode).toBe(0)
        expect(JSON.parse(packed.stdout).prompt_tokens).toBe(JSON.parse(stdout).prompt_tokens)
      }
    } finally {
      delete process.env['QOQ_CACHE_DIR']
    }
    const elsewhere = await run(...argv, '--weights', 'float16', '--cache-type', 'int8')
    expect(errorOf(elsewhere).code).toBe('CLI_VALUE_INVALID')
  })

  test.for([
    { name: 'an unknown role', messages: [{ role: 'doctor', content: '' }], code: 'CLI_INPUT_INVALID', says: '0.role' },
    {
      name: 'an unknown part',
      messages: [{ role: 'user', content: [{ type: 'smell' }] }],
      code: 'CLI_INPUT_INVALID',
      says: '0.content',
    },
    {
      name: 'a missing image',
      messages: [{ role: 'user', content: [{ type: 'image', image: 'no.png' }] }],
      code: 'CLI_FILE_MISSING',
      says: 'no.png',
    },
    {
      name: 'a picture that is none',
      messages: [{ role: 'user', content: [{ type: 'image', image: 'text.json' }] }],
      code: 'DATA_FORMAT_UNKNOWN',
      says: 'text.json',
    },
    {
      name: 'a missing ECG',
      messages: [{ role: 'user', content: [{ type: 'ecg', ecg: 'no' }] }],
      code: 'CLI_FILE_MISSING',
      says: 'no.hea',
    },
  ])('refuses $name', async ({ messages, code, says }) => {
    await writeFile(path.join(cwd, 'bad.json'), JSON.stringify(messages))
    const result = await run('model', 'generate', 'tiny', '--messages', 'bad.json', '--json')
    expect(result.exitCode).toBe(2)
    expect(errorOf(result).code).toBe(code)
    expect(errorOf(result).message).toContain(says)
  })

  test('stops at Ctrl-C and says so', async () => {
    const argv = ['model', 'generate', 'tiny', '--messages', 'text.json', '--json']
    const result = await runInProcess(argv, { cwd, signal: AbortSignal.abort() })
    expect(result.exitCode).toBe(130)
    expect(errorOf(result)).toMatchObject({
      code: 'CLI_INTERRUPTED',
      message: expect.stringContaining('nothing was written'),
    })
  })
})

describe('qoq ask', () => {
  test('shows reasoning, boxes, answer and the notice', async () => {
    const argv = ['ask', '--model', 'tiny', '--image', await firstFile(media.image, '.png'), '--max-new-tokens', '40']
    const { exitCode, stdout, stderr } = await run(
      ...argv,
      '--label',
      'glioma',
      '--label',
      'none',
      'Which tumour is it?',
    )
    expect(exitCode).toBe(0)
    expect(stdout).toContain('Reasoning:')
    expect(stdout).toContain('Boxes: none')
    expect(stdout).toContain('Answer:')
    expect(stdout).toContain('Research use only')
    expect(stderr).toContain('Reading the model')
  })

  test('answers machines with what was parsed from the response', async () => {
    const argv = [
      'ask',
      '--model',
      'tiny',
      '--ecg',
      await firstFile(media.ecg, '.hea'),
      '--max-new-tokens',
      '4',
      '--json',
    ]
    const answer = JSON.parse((await run(...argv, 'Which rhythm?')).stdout)
    expect(answer).toMatchObject({ model: 'tiny', reasoning: null, boxes: [], labels: [], tokens: 4, finish: 'length' })
    expect(answer.notice).toContain('Research use only')
  })

  test.for([
    { name: 'no question', argv: ['ask', '--model', 'tiny'], code: 'CLI_ARGUMENT_MISSING' },
    { name: 'an empty question', argv: ['ask', '--model', 'tiny', ' '], code: 'CLI_VALUE_INVALID' },
    {
      name: 'a missing image',
      argv: ['ask', '--model', 'tiny', '--image', 'no.png', 'What?'],
      code: 'CLI_FILE_MISSING',
    },
  ])('refuses $name', async ({ argv, code }) => {
    const result = await run(...argv, '--json')
    expect(result.exitCode).toBe(2)
    expect(errorOf(result).code).toBe(code)
  })
})

describe('qoq eval', () => {
  const data = ['--data', 'mini_clinic_mri=clinic', '--data', 'mini_clinic_ecg=clinic']
  const short = ['--max-new-tokens', '3', '--max-samples', '3', '--resamples', '50']

  test('evaluates datasets, writes the results and goes on from them', async () => {
    const argv = ['eval', '--model', 'tiny', ...data, ...short, '--out', 'runs/a']
    const { exitCode, stdout } = await run(...argv, '--json')
    expect(exitCode).toBe(0)
    const results = JSON.parse(stdout)
    expect(results).toMatchObject({ schemaVersion: 2, policy: 'tiny', config: { split: 'test', maxSamples: 3 } })
    expect(Object.keys(results.metrics.domains).toSorted()).toEqual(['ecg', 'mri'])
    expect(results.fingerprint).toMatch(/^[0-9a-f]{64}$/)
    expect((await run(...argv, '--json')).stdout).toBe(stdout)
    expect((await run(...argv)).stdout).toMatch(/overall +\.\d+/)
    const log = await readFile(path.join(cwd, 'runs/a/samples.jsonl'), 'utf8')
    expect(log.trim().split('\n')).toHaveLength(6)
  })

  test('takes every part of a dataset where all is asked for', async () => {
    const { stdout } = await run(
      'eval',
      '--model',
      'tiny',
      ...data,
      '--max-new-tokens',
      '1',
      '--split',
      'all',
      '--out',
      'runs/all',
      '--json',
    )
    const datasets: { support: number }[] = Object.values(JSON.parse(stdout).metrics.datasets)
    expect(datasets.reduce((sum, { support }) => sum + support, 0)).toBe(40)
  })

  test('is compared with another evaluation', async () => {
    for (const [out, temperature] of [['runs/x', '0'] as const, ['runs/y', '1'] as const])
      await run('eval', '--model', 'tiny', ...data, ...short, '--out', out, '--temperature', temperature)
    const { exitCode, stdout } = await run('compare', 'runs/x', 'runs/y', '--resamples', '20', '--json')
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ policies: ['tiny', 'tiny'], samples: 6, leftOut: 0 })
    expect((await run('compare', 'runs/x', 'runs/y')).stdout).toMatch(/^overall +\+0\.000 \[/m)
    const result = await run('compare', 'runs/x', 'tiny', '--json')
    expect(result.exitCode).toBe(2)
    expect(errorOf(result).code).toBe('EVAL_NO_RUN')
  })

  test('writes over no evaluation of another split, number of samples or choice, and names it', async () => {
    const rest = ['--max-new-tokens', '3', '--out', 'runs/b', '--json']
    const evaluation = (model: string, datasets: readonly string[], ...more: string[]) =>
      run('eval', '--model', model, ...datasets, ...rest, ...more)
    const few = ['--max-samples', '2', '--resamples', '50']
    expect((await evaluation('tiny', data, ...few)).exitCode).toBe(0)
    const before = await readFile(path.join(cwd, 'runs/b/results.json'), 'utf8')
    for (const { says, more = few, datasets = data } of [
      { says: '--temperature 0; with 1 ', more: [...few, '--temperature', '1'] },
      { says: '--split test; with train ', more: [...few, '--split', 'train'] },
      { says: '--max-samples 2; with 3 ', more: ['--max-samples', '3', '--resamples', '50'] },
      { says: '--max-samples 2; with left out ', more: ['--resamples', '50'] },
      { says: '--resamples 50; with 1000 ', more: ['--max-samples', '2'] },
      { says: '--label-set list; with truth ', more: [...few, '--label-set', 'truth'] },
      { says: '--answers generate; with grammar ', more: [...few, '--answers', 'grammar'] },
      { says: '--data mini_clinic_mri, mini_clinic_ecg; with mini_clinic_mri ', datasets: data.slice(0, 2) },
    ]) {
      const result = await evaluation('tiny', datasets, ...more)
      expect(errorOf(result)).toMatchObject({ code: 'EVAL_SETTINGS_DIFFER', message: expect.stringContaining(says) })
      expect(result.exitCode).toBe(2)
      expect(await readFile(path.join(cwd, 'runs/b/results.json'), 'utf8')).toBe(before)
    }
    // What changes nothing of the results may differ.
    expect((await evaluation('tiny', data, ...few, '--batch-size', '1')).exitCode).toBe(0)
    await cp(path.join(cwd, 'tiny'), path.join(cwd, 'renamed'), { recursive: true })
    expect(errorOf(await evaluation('renamed', data, ...few)).code).toBe('EVAL_RUN_MISMATCH')
  })

  test('leaves broken rows out where told to, and counts them', async () => {
    await cp(path.join(cwd, 'clinic'), path.join(cwd, 'broken'), { recursive: true })
    const { samples } = await openDataset('mini_clinic_mri', { root: path.join(cwd, 'broken') })
    const lost = samples.find(({ split }) => split === 'test')
    await rm(lost!.files[0]!)
    const argv = ['eval', '--model', 'tiny', '--data', 'mini_clinic_mri=broken', ...short, '--out', 'runs/d', '--json']
    expect(errorOf(await run(...argv)).code).toBe('DATA_FILE_MISSING')
    const { exitCode, stderr } = await run(...argv, '--on-error', 'skip')
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('left out 1 rows') })
  })

  test('stops at Ctrl-C with exit code 130 and says what is kept', async () => {
    const argv = ['eval', '--model', 'tiny', ...data, ...short, '--out', 'runs/c', '--json']
    const result = await runInProcess(argv, { cwd, signal: AbortSignal.abort() })
    expect(result.exitCode).toBe(130)
    expect(errorOf(result)).toMatchObject({ code: 'EVAL_ABORTED', message: expect.stringContaining('after 0 of 6') })
  })

  test.for([
    { name: 'no data', argv: [], code: 'CLI_ARGUMENT_MISSING' },
    { name: 'data without a folder', argv: ['--data', 'mini_clinic_mri'], code: 'CLI_VALUE_INVALID' },
    { name: 'an unknown dataset', argv: ['--data', 'mini_clinic_mrii=clinic'], code: 'DATA_DATASET_UNKNOWN' },
    { name: 'a folder without the dataset', argv: ['--data', 'mini_clinic_mri=tiny'], code: 'DATA_ROOT_NOT_FOUND' },
  ])('refuses $name', async ({ argv, code }) => {
    const result = await run('eval', '--model', 'tiny', ...argv, '--json')
    expect(result.exitCode).toBe(2)
    expect(errorOf(result).code).toBe(code)
  })
})

describe('--device', () => {
  test('offers what the engine can open', () => {
    expect(deviceArgument.choices).toEqual(executorDevices)
  })

  test.skipIf(process.platform !== 'linux')('says what a device needs (Core ML, skipped off Linux)', async () => {
    const argv = ['model', 'generate', 'tiny', '--messages', 'text.json', '--device', 'coreml', '--json']
    expect(errorOf(await run(...argv))).toMatchObject({ code: 'TENSOR_DEVICE_MISSING' })
  })
})

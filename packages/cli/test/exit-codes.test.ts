import { mkdtemp, rm, unlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openDataset, synthesise } from '@qoq-med/data-climb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errorOf, runInProcess } from '../src/run-in-process.testing.ts'
import { writeTinyModel } from '../src/tiny-model.testing.ts'

let cwd = ''
/** Listens, so that nobody else can at its port. */
const taken = createServer()
const training = {
  name: 'short',
  model: { preset: 'qoq-nano', vocabularySize: 300 },
  data: { maxPixels: 3136, sources: [{ dataset: 'mini_clinic_mri', root: 'clinic' }] },
  stages: [{ name: 'sft', algorithm: 'sft', steps: 1, batchSize: 1, microbatchSize: 1, learningRate: 0.001 }],
}
beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'qoq-exit-'))
  await writeTinyModel(path.join(cwd, 'tiny'))
  for (const name of ['clinic', 'broken'])
    await synthesise({ dir: path.join(cwd, name), seed: 3, size: 12, domains: ['mri'] })
  const { samples } = await openDataset('mini_clinic_mri', { root: path.join(cwd, 'broken') })
  for (const sample of samples.slice(0, 1)) await unlink(sample.files[0]!)
  await writeFile(path.join(cwd, 'train.yaml'), JSON.stringify(training))
  await writeFile(path.join(cwd, 'm.json'), '[{"role":"user","content":"Hi"}]')
  await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  taken.close()
  await rm(cwd, { recursive: true, force: true })
})

const evaluation = ['eval', '--model', 'tiny', '--data', 'mini_clinic_mri=clinic', '--max-new-tokens', '1']
/** A machine without a network. */
const offline = { HF_ENDPOINT: 'http://127.0.0.1:1', QOQ_MODELS_DIR: path.join(tmpdir(), 'qoq-exit-none') }

describe('the command line ends with', () => {
  test.for([
    { exitCode: 0, argv: ['data', 'list'] },
    { exitCode: 0, argv: ['data', 'verify', 'mini_clinic_mri', '--root', 'clinic'] },
    { exitCode: 0, argv: ['model', 'generate', 'tiny', '--messages', 'm.json', '--max-new-tokens', '1'] },
    // The work failed.
    { exitCode: 1, code: 'DATA_OFFLINE', argv: ['model', 'pull', 'owner/name'], env: offline },
    { exitCode: 1, code: 'TENSOR_DEVICE_MISSING', argv: ['ask', '--model', 'tiny', '--device', 'dml', 'What?'] },
    { exitCode: 1, code: 'SERVER_ADDRESS_UNAVAILABLE', argv: ['serve', '--model', 'tiny', '--port', 'TAKEN'] },
    { exitCode: 1, argv: ['data', 'verify', 'mini_clinic_mri', '--root', 'broken'] },
    // Usage and input.
    { exitCode: 2, code: 'CLI_UNKNOWN_COMMAND', argv: ['aks'] },
    { exitCode: 2, code: 'CLI_UNKNOWN_OPTION', argv: ['ask', '--modle', 'tiny'] },
    { exitCode: 2, code: 'CLI_VALUE_INVALID', argv: ['ask', '--model', 'tiny', '--threads', '0', 'What?'] },
    { exitCode: 2, code: 'MODEL_FOLDER_INVALID', argv: ['ask', '--model', 'nowhere', 'What?'] },
    { exitCode: 2, code: 'DATA_MODEL_NOT_PULLED', argv: ['serve', '--model', 'owner/name'] },
    { exitCode: 2, code: 'DATA_INPUT_MISSING', argv: ['data', 'inspect', 'none.png'] },
    { exitCode: 2, code: 'TRAINER_CONFIG_MISSING', argv: ['train', 'none.yaml'] },
    { exitCode: 2, code: 'EVAL_NO_RUN', argv: ['compare', 'tiny', 'tiny'] },
    // Ctrl-C.
    { exitCode: 130, code: 'EVAL_ABORTED', argv: [...evaluation, '--out', 'runs/stopped'], isStopped: true },
    { exitCode: 130, code: 'TRAINER_ABORTED', argv: ['train', 'train.yaml'], isStopped: true },
    { exitCode: 130, code: 'CLI_INTERRUPTED', argv: ['model', 'pull', 'owner/name'], env: offline, isStopped: true },
    {
      exitCode: 130,
      code: 'CLI_INTERRUPTED',
      argv: ['model', 'generate', 'tiny', '--messages', 'm.json'],
      isStopped: true,
    },
    { exitCode: 130, code: 'CLI_INTERRUPTED', argv: ['ask', '--model', 'tiny', 'What?'], isStopped: true },
  ])('$exitCode after qoq $argv ($code)', async ({ exitCode, code, argv, env = {}, isStopped = false }) => {
    const { port } = taken.address() as AddressInfo // listens on TCP
    const words = argv.map(word => (word === 'TAKEN' ? String(port) : word))
    const result = await runInProcess([...words, '--json'], {
      cwd,
      env,
      ...(isStopped && { signal: AbortSignal.abort() }),
    })
    const said = code === undefined ? undefined : errorOf(result).code
    expect({ exitCode: result.exitCode, code: said, stderr: result.stderr }).toMatchObject({ exitCode, code })
  })
})

import { readFileSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { synthesise } from '@qoq-med/data-climb'
import { readSampleLog } from '@qoq-med/eval'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ChatReply, type ChatServer, startChatServer } from '../../../../tooling/testing/chat-server.ts'
import { runCommandLine } from '../run-command-line.ts'
import { errorOf, runInProcess } from '../run-in-process.testing.ts'
import { writeTinyModel } from '../tiny-model.testing.ts'

let cwd = ''
beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'qoq-eval-'))
  await writeTinyModel(path.join(cwd, 'models', 'qoq-med'))
  await synthesise({ dir: path.join(cwd, 'clinic'), size: 60, seed: 42, domains: ['mri', 'ecg', 'chest_xray'] })
}, 60_000)
afterAll(() => rm(cwd, { recursive: true, force: true }))

const sets = ['mri', 'ecg', 'chest_xray'].flatMap(name => ['--data', `mini_clinic_${name}=clinic`])
const few = [...sets, '--split', 'all', '--max-samples', '2', '--max-new-tokens', '24', '--resamples', '20']

/** What was said to every sample, and the numbers. */
async function outcomeOf(out: string) {
  const records = [...(await readSampleLog(path.join(cwd, out, 'samples.jsonl'))).values()]
  const results = JSON.parse(await readFile(path.join(cwd, out, 'results.json'), 'utf8'))
  return {
    said: Object.fromEntries(records.map(({ sampleId, response }) => [sampleId, response])),
    metrics: results.metrics,
    iou: results.iou,
  }
}

/** Serves the tiny model until `stop`. */
async function serveTiny(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const line = Promise.withResolvers<string>()
  const ending = new AbortController()
  const ended = runCommandLine(['serve', '--model', 'models/qoq-med', '--port', '0', '--json'], {
    stdin: (async function* () {})(),
    stdout: { write: line.resolve },
    stderr: { write: () => undefined },
    env: {},
    cwd,
    signal: ending.signal,
  })
  const { address }: { address: string } = JSON.parse(await line.promise)
  return {
    url: `${address}/v1`,
    stop: async () => {
      ending.abort()
      await ended
    },
  }
}

/** Arguments for the tiny model behind an endpoint, with pictures as its image processor has them. */
function endpoint(url: string): string[] {
  return ['--endpoint', url, '--served-model', 'qoq-med', '--ecg-as', 'signal', '--max-pixels', '12544']
}

describe('one checkpoint, three ways', () => {
  let served: Awaited<ReturnType<typeof serveTiny>>
  let stub: ChatServer
  beforeAll(async () => {
    served = await serveTiny()
    stub = await startChatServer(async ({ body, earlier }): Promise<ChatReply> => {
      const misbehaviours: readonly ChatReply[] = [
        { type: 'status', status: 429, headers: { 'retry-after': '0' } },
        { type: 'status', status: 500 },
        { type: 'cut', text: '<think>half' },
        { type: 'raw', body: 'nonsense', contentType: 'text/plain' },
        { type: 'raw', body: '{"choices":[]}' },
        { type: 'drop' },
      ]
      const bad = misbehaviours[(JSON.stringify(body).length + earlier) % misbehaviours.length]!
      if (earlier < 2) return bad
      // What the real server says, without a stream.
      const { stream: _stream, stream_options: _options, ...rest } = body
      const response = await fetch(`${served.url}/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(rest),
      })
      return { type: 'raw', body: await response.text() }
    })
  }, 60_000)
  afterAll(async () => {
    await stub.close()
    await served.stop()
  })

  test('here, through `qoq serve`, and through a server that misbehaves: the same answers and numbers', async () => {
    const runs = {
      local: ['--model', 'models/qoq-med'],
      served: endpoint(served.url),
      stub: [...endpoint(stub.url), '--concurrency', '3'],
    }
    for (const [name, who] of Object.entries(runs)) {
      const run = await runInProcess(['eval', ...who, ...few, '--out', `runs/${name}`], { cwd })
      expect({ ...run, stdout: '', stderr: run.stderr.slice(-600) }).toMatchObject({ exitCode: 0 })
    }
    const local = await outcomeOf('runs/local')
    expect(Object.keys(local.said)).toHaveLength(6)
    expect(new Set(Object.values(local.said)).size).toBeGreaterThan(2) // it says different things to different samples
    expect(await outcomeOf('runs/served')).toEqual(local)
    expect(await outcomeOf('runs/stub')).toEqual(local)
    expect(stub.asked).toHaveLength(6 * 3) // two failures each
  }, 120_000)

  test('labels are ranked alike here and through `qoq serve`', async () => {
    for (const [name, who] of Object.entries({ a: ['--model', 'models/qoq-med'], b: endpoint(served.url) })) {
      const argv = ['eval', ...who, ...few, '--answers', 'score', '--out', `runs/ranked-${name}`]
      expect((await runInProcess(argv, { cwd })).exitCode).toBe(0)
    }
    const [here, there] = await Promise.all(
      ['a', 'b'].map(async name => {
        const records = await readSampleLog(path.join(cwd, `runs/ranked-${name}`, 'samples.jsonl'))
        return [...records.values()].toSorted((x, y) => (x.sampleId < y.sampleId ? -1 : 1))
      }),
    )
    expect(here).toHaveLength(6)
    for (const [i, record] of here!.entries())
      for (const [j, probability] of record.probabilities!.entries())
        expect(there![i]!.probabilities![j]).toBeCloseTo(probability, 5)
  }, 60_000)

  test('failures are counted: a model that takes no pictures is named, the rest goes on', async () => {
    const blind = await startChatServer(({ body }) =>
      JSON.stringify(body).includes('image_url')
        ? {
            type: 'status',
            status: 400,
            body: '{"error":{"message":"this model takes no images","type":"x","code":1}}',
          }
        : { type: 'text', text: '\\boxed{Normal ECG}' },
    )
    const who = ['--endpoint', blind.url, '--served-model', 'm', '--ecg-as', 'signal']
    const stopped = await runInProcess(['eval', ...who, ...few, '--out', 'runs/blind', '--json'], { cwd })
    expect(errorOf(stopped)).toMatchObject({
      code: 'MODEL_REMOTE_REFUSED',
      message: expect.stringContaining('this model takes no images'),
      hint: expect.stringContaining('takes no pictures'),
    })
    const skipping = ['--on-error', 'skip', '--max-failures', '1', '--out', 'runs/blind-skip', '--json']
    const { exitCode, stdout } = await runInProcess(['eval', ...who, ...few, ...skipping], { cwd })
    await blind.close()
    const { answers, failures, metrics } = JSON.parse(stdout)
    expect(exitCode).toBe(0)
    expect(answers.failed).toBe(4)
    expect(failures).toHaveLength(4)
    expect(Object.keys(metrics.datasets)).toEqual(['mini_clinic_ecg'])
  }, 60_000)
})

describe('mistakes', () => {
  test.for<[string, string[], string]>([
    ['two at once', ['--model', 'x', '--predictions', 'y', ...sets], 'CLI_ARGUMENT_EXTRA'],
    ['an endpoint without a model', ['--endpoint', 'http://127.0.0.1:9/v1', ...sets], 'CLI_ARGUMENT_MISSING'],
    ['predictions that are not there', ['--predictions', 'none.jsonl', ...sets], 'CLI_FILE_MISSING'],
    [
      'a key file that is not there',
      ['--endpoint', 'http://127.0.0.1:9/v1', '--served-model', 'm', '--key-file', 'none', ...sets],
      'CLI_FILE_MISSING',
    ],
    [
      'an address with a password',
      ['--endpoint', 'http://a:b@127.0.0.1/v1', '--served-model', 'm', ...sets],
      'MODEL_REMOTE_URL',
    ],
    [
      'a form for an endpoint',
      ['--endpoint', 'http://127.0.0.1:9/v1', '--served-model', 'm', '--answers', 'grammar', ...sets],
      'CLI_VALUE_INVALID',
    ],
    [
      'a subgroup table without a key',
      ['--model', 'models/qoq-med', '--subgroups', 'bad.csv', ...sets],
      'CLI_INPUT_INVALID',
    ],
  ])('%s', async ([, argv, code]) => {
    await writeFile(path.join(cwd, 'bad.csv'), 'name,sex\nMrs Example,F\n')
    await writeFile(path.join(cwd, 'others.csv'), 'patient,sex\nelsewhere-1,F\n')
    const names = Array.from({ length: 60 }, (_, i) => `mri-${String(i).padStart(4, '0')},Mrs Example ${i}`)
    await writeFile(path.join(cwd, 'names.csv'), ['patient,name', ...names].join('\n'))
    const run = await runInProcess(['eval', ...argv, '--out', 'runs/mistake', '--json'], { cwd })
    expect(errorOf(run).code).toBe(code)
    expect(run.exitCode).toBe(2)
    expect(run.stdout).not.toContain('Example')
    await expect(readdir(path.join(cwd, 'runs', 'mistake'))).rejects.toThrow('ENOENT')
  })

  test('a wrong key is one sentence, and not said', async () => {
    const locked = await startChatServer(() => ({ type: 'status', status: 401 }))
    await writeFile(path.join(cwd, 'key'), 'sk-secret\n')
    const who = [
      '--endpoint',
      locked.url,
      '--served-model',
      'm',
      '--key-file',
      'key',
      '--data',
      'mini_clinic_mri=clinic',
    ]
    const run = await runInProcess(['eval', ...who, '--on-error', 'skip', '--out', 'runs/locked', '--json'], { cwd })
    expect(locked.asked.every(({ authorization }) => authorization === 'Bearer sk-secret')).toBe(true)
    await locked.close()
    expect(errorOf(run)).toMatchObject({ code: 'MODEL_REMOTE_KEY', message: expect.stringContaining('not accepted') })
    expect(run.stdout + run.stderr).not.toContain('sk-secret')
    expect(await readdir(path.join(cwd, 'runs', 'locked'))).toEqual([])
  })
})

test('answers in a form and ranked labels, by subgroup', async () => {
  const rows = [
    'patient,sex,age',
    ...Array.from({ length: 60 }, (_, i) => `mri-${String(i).padStart(4, '0')},${i % 2 ? 'Male' : 'f'},${i}`),
  ]
  await writeFile(path.join(cwd, 'patients.csv'), rows.join('\n'))
  const common = [
    'eval',
    '--model',
    'models/qoq-med',
    '--data',
    'mini_clinic_mri=clinic',
    '--resamples',
    '20',
    '--split',
    'all',
  ]
  const scored = await runInProcess(
    [
      ...common,
      '--answers',
      'score',
      '--subgroups',
      'patients.csv',
      '--min-patients',
      '3',
      '--out',
      'runs/scored',
      '--json',
    ],
    { cwd },
  )
  const results = JSON.parse(scored.stdout)
  expect(results.probabilities.mini_clinic_mri.perLabel).toHaveProperty('Glioma Tumor')
  expect(Object.keys(results.fairness.datasets.mini_clinic_mri.attributes)).toEqual(['age', 'sex', 'sex and age'])
  const formed = await runInProcess(
    [
      ...common,
      '--answers',
      'grammar',
      '--max-samples',
      '4',
      '--max-new-tokens',
      '64',
      '--out',
      'runs/formed',
      '--json',
    ],
    { cwd },
  )
  expect(JSON.parse(formed.stdout).answers).toMatchObject({ answered: 4, unparseable: 0 })
}, 60_000)

/** A tool that looks at nothing and says what is most common. */
async function answerQuestions(): Promise<void> {
  const lines = (await readFile(path.join(cwd, 'questions.jsonl'), 'utf8')).trim().split('\n')
  const answers = lines.map(line => {
    const { id }: { id: string } = JSON.parse(line)
    return JSON.stringify({ id, response: '<think>A guess.</think> \\boxed{No Tumor}' })
  })
  await writeFile(path.join(cwd, 'mine.jsonl'), answers.join('\n'))
}

describe('the guide "Compare your model with QoQ-Med"', () => {
  const guide = readFileSync(path.resolve(import.meta.dirname, '../../../../docs/guides/compare-your-model.md'), 'utf8')
  const commands = [...guide.matchAll(/```sh\nqoq (.*?)\n```/g)].map(([, line = '']) => line.split(' '))

  test('goes from a predictions file to the report in five commands', async () => {
    expect(commands).toHaveLength(5)
    for (const [index, argv] of commands.entries()) {
      if (index === 2) await answerQuestions()
      const { exitCode, stderr } = await runInProcess(argv, { cwd })
      expect({ exitCode, stderr: stderr.slice(-500) }).toMatchObject({ exitCode: 0 })
    }
    const html = await readFile(path.join(cwd, 'runs/compared.html'), 'utf8')
    expect(html).toContain('mine minus qoq-med')
    expect(html).toContain('smallest detectable')
  }, 180_000)
})

test('the tables of the paper, and what follows from them', async () => {
  const { stdout } = await runInProcess(['eval', 'paper-tables'], { cwd })
  expect(stdout).toContain('504 of 504 means come out of their rows')
  expect(stdout).toContain(
    'differs: F1 gains 43 % over the best baseline (section 4.1); the tables: 22.2 % over PPO; 43.0 % over GRPO',
  )
})

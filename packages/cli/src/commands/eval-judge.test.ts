import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { synthesise } from '@qoq-med/data-climb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ChatServer, startChatServer } from '../../../../tooling/testing/chat-server.ts'
import { errorOf, runInProcess } from '../run-in-process.testing.ts'

let cwd = ''
let server: ChatServer
beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'qoq-judge-'))
  await synthesise({ dir: path.join(cwd, 'clinic'), size: 30, seed: 42, domains: ['mri'] })
  // One server answers questions and judges answers.
  server = await startChatServer(({ body }) => {
    const text = JSON.stringify(body)
    if (text.includes('Grade every statement')) return { type: 'text', text: '{"grades":["high","none"]}' }
    if (text.includes('Judge whether')) return { type: 'text', text: '{"reason":"x","verdict":"partly"}' }
    return { type: 'text', text: '<think>A bright mass. It is big.</think> \\boxed{Glioma Tumor}' }
  })
  const who = ['--endpoint', server.url, '--served-model', 'm', '--data', 'mini_clinic_mri=clinic', '--split', 'all']
  await runInProcess(['eval', ...who, '--max-samples', '5', '--out', 'run', '--resamples', '20'], { cwd })
}, 60_000)
afterAll(async () => {
  await server.close()
  await rm(cwd, { recursive: true, force: true })
})

test('answers are judged in two passes, and the transcript is kept', async () => {
  const argv = ['eval', 'judge', 'run', '--endpoint', server.url, '--served-model', 'judge']
  const { exitCode, stdout } = await runInProcess(argv, { cwd })
  expect(exitCode).toBe(0)
  // Two of five are right word for word; the judge calls the others partly right.
  expect(stdout).toContain('Score .700 over 5 answers')
  expect(stdout).toContain('2 of them the true one word for word')
  expect((await readFile(path.join(cwd, 'run/judge-answers-judge.jsonl'), 'utf8')).trim().split('\n')).toHaveLength(6)
})

test('reasoning is graded by a judge and by people, and they are compared', async () => {
  const argv = ['eval', 'judge', 'run', '--task', 'relevance', '--endpoint', server.url, '--served-model', 'judge']
  expect((await runInProcess(argv, { cwd })).stdout).toContain('10 statements by judge: high .500, low .000, none .500')
  await runInProcess(['eval', 'statements', 'run', '--out', 'to-grade.jsonl'], { cwd })
  const statements = (await readFile(path.join(cwd, 'to-grade.jsonl'), 'utf8')).trim().split('\n')
  const graded = statements.map(line => {
    const { sampleId, statement }: { sampleId: string; statement: number } = JSON.parse(line)
    return JSON.stringify({ sampleId, statement, grade: statement === 0 ? 'high' : 'low', rater: 'Anna' })
  })
  await writeFile(path.join(cwd, 'anna.jsonl'), `${graded.join('\n')}\n`)
  const { stdout } = await runInProcess(
    ['eval', 'grades', 'anna.jsonl', 'run/grades-relevance-judge.jsonl', '--json'],
    { cwd },
  )
  // Observed 1/2, by chance 1/4.
  expect(JSON.parse(stdout).agreement).toEqual([
    { raters: ['Anna', 'judge'], statements: 10, kappa: expect.closeTo(1 / 3, 12) },
  ])
})

test('a judge that says nothing of use writes over nothing', async () => {
  const mute = await startChatServer(() => ({ type: 'text', text: 'Hm.' }))
  const argv = ['eval', 'judge', 'run', '--task', 'relevance', '--endpoint', mute.url, '--served-model', 'judge']
  await rm(path.join(cwd, 'run/judge-relevance-judge.jsonl'))
  const grades = path.join(cwd, 'run/grades-relevance-judge.jsonl')
  const before = await readFile(grades, 'utf8')
  const run = await runInProcess([...argv, '--json'], { cwd })
  await mute.close()
  expect(errorOf(run).code).toBe('CLI_JUDGE_SILENT')
  expect(await readFile(grades, 'utf8')).toBe(before)
})

test.for([
  [
    'a run that is none',
    ['judge', 'nowhere', '--endpoint', 'http://127.0.0.1:9/v1', '--served-model', 'm'],
    'EVAL_NO_RUN',
  ],
  ['no endpoint', ['judge', 'run'], 'CLI_ARGUMENT_MISSING'],
  ['no files', ['grades'], 'CLI_ARGUMENT_MISSING'],
] as const)('%s', async ([, argv, code]) => {
  expect(errorOf(await runInProcess(['eval', ...argv, '--json'], { cwd })).code).toBe(code)
})

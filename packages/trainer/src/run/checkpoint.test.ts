import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { writeSafetensors } from '@qoq-med/model'
import { listCheckpoints, loadOptimizer, pruneCheckpoints } from './checkpoint.ts'

async function runWith(checkpoints: Readonly<Record<string, string | undefined>>): Promise<string> {
  const run = await mkdtemp(join(tmpdir(), 'qoq-checkpoints-'))
  for (const [name, state] of Object.entries(checkpoints)) {
    await mkdir(join(run, 'checkpoints', name), { recursive: true })
    if (state !== undefined) await writeFile(join(run, 'checkpoints', name, 'state.json'), state)
  }
  return run
}

const state = (stageIndex: number, step: number): string => JSON.stringify({ stageIndex, step, optimizerStep: step })

describe('listCheckpoints', () => {
  test('orders by stage and step, and passes over what is not whole', async () => {
    const run = await runWith({
      'stage-1-step-2': state(1, 2),
      'stage-0-step-10': state(0, 10),
      'stage-0-step-9': state(0, 9),
      'stage-1-step-3': undefined,
      'stage-1-step-4.tmp': state(1, 4),
    })
    const found = await listCheckpoints(run)
    expect(found.map(({ position }) => [position.stageIndex, position.step])).toEqual([
      [0, 9],
      [0, 10],
      [1, 2],
    ])
    expect(await listCheckpoints(join(run, 'elsewhere'))).toEqual([])
  })

  test('refuses a state without its fields', async () => {
    const run = await runWith({ 'stage-0-step-1': '{"stageIndex": 0, "step": -1}' })
    await expect(listCheckpoints(run)).rejects.toMatchObject({
      code: 'TRAINER_CHECKPOINT',
      message: expect.stringContaining('step'),
    })
  })
})

test.for([
  { name: 'half a state', state: '{"stageInd', says: 'state.json' },
  { name: 'the state of another checkpoint', state: state(5, 1), says: 'is that of stage-5-step-1' },
])('listCheckpoints refuses $name', async ({ state: text, says }) => {
  const run = await runWith({ 'stage-0-step-1': text })
  await expect(listCheckpoints(run)).rejects.toMatchObject({
    code: 'TRAINER_CHECKPOINT',
    message: expect.stringContaining(says),
  })
})

test('pruneCheckpoints keeps the last and the start of the stage, and clears what a kill left', async () => {
  const names = ['stage-0-step-9', 'stage-1-step-0', 'stage-1-step-1', 'stage-1-step-2', 'stage-1-step-3']
  const states = names.map(name => [name, state(Number(name[6]), Number(name.at(-1)))] as const)
  const run = await runWith({ ...Object.fromEntries(states), 'stage-1-step-2.tmp': state(1, 2) })
  await pruneCheckpoints(run, 2)
  const left = await readdir(join(run, 'checkpoints'))
  expect(left.toSorted()).toEqual(['stage-1-step-0', 'stage-1-step-2', 'stage-1-step-3'])
})

test('loadOptimizer names a file that is not there', async () => {
  const [checkpoint] = await listCheckpoints(await runWith({ 'stage-0-step-1': state(0, 1) }))
  await expect(loadOptimizer(checkpoint!)).rejects.toMatchObject({
    code: 'TRAINER_CHECKPOINT',
    message: expect.stringContaining('optimizer.safetensors'),
  })
})

test('loadOptimizer refuses a tensor that is no moment', async () => {
  const run = await runWith({ 'stage-0-step-1': state(0, 1) })
  const folder = join(run, 'checkpoints', 'stage-0-step-1')
  await writeSafetensors(join(folder, 'optimizer.safetensors'), [
    { name: 'third.w', shape: [1], data: Float32Array.of(1) },
  ])
  const [checkpoint] = await listCheckpoints(run)
  await expect(loadOptimizer(checkpoint!)).rejects.toMatchObject({
    code: 'TRAINER_CHECKPOINT',
    message: expect.stringContaining('third.w'),
  })
})

import { expect, test } from 'vitest'
import { JobLogReader } from './step-lines.ts'

const rollout = { row: 0, response: 'a', tokens: 1, finish: 'end', reward: 0.5, parts: { accuracy: 1 }, advantage: 0 }
const step = (number: number): string =>
  `QOQ_STEP ${JSON.stringify({ step: number, seconds: 1, times: {}, updates: [{ loss: null }], rollouts: [rollout] })}`

const lines = [
  'loading weights',
  ` 50%|█████     | 3/6 [00:05<00:05]${step(1)}`,
  `\u001B[36m(TaskRunner pid=7)\u001B[0m ${step(2)}\u001B[0m`,
  step(1),
  step(2),
  'QOQ_STEP {"step": 3',
  'QOQ_RESULT {"model": "/shared/model"}',
  'QOQ_ERROR {"code": "QOQ_SERVER_AWAY", "message": "It was away.", "hint": "Start it."}',
  'Traceback',
].join('\n')

test.for([1, 7, 100, lines.length])(
  'a log in pieces of %i is read whatever stands before its lines, and a step that stands there twice counts once',
  size => {
    const reader = new JobLogReader()
    const steps = Array.from({ length: Math.ceil(lines.length / size) }, (_, i) =>
      reader.push(lines.slice(i * size, (i + 1) * size)),
    ).flat()
    expect(reader.log.tail).toEqual(['loading weights'])
    reader.end()
    expect(steps.map(one => one.step)).toEqual([1, 2])
    expect(steps[0]!.rollouts[0]).toEqual(rollout)
    expect(reader.log).toMatchObject({ lastStep: 2, model: '/shared/model', fault: { code: 'QOQ_SERVER_AWAY' } })
    expect(reader.log.tail).toEqual(['loading weights', 'Traceback'])
  },
)

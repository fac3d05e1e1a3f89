import { expect, test } from 'vitest'
import { readJobLog } from './step-lines.ts'

const rollout = { row: 0, response: 'a', tokens: 1, finish: 'end', reward: 0.5, parts: { accuracy: 1 }, advantage: 0 }
const step = (number: number): string =>
  `QOQ_STEP ${JSON.stringify({ step: number, seconds: 1, times: {}, updates: [{ loss: null }], rollouts: [rollout] })}`

test('a log is read whatever stands before its lines, and a step that stands there twice counts once', () => {
  const log = readJobLog(
    [
      'loading weights',
      ` 50%|█████     | 3/6 [00:05<00:05]${step(2)}`,
      `\u001B[36m(TaskRunner pid=7)\u001B[0m ${step(1)}\u001B[32m [repeated 2x across cluster]\u001B[0m`.replace(
        '\u001B[32m [repeated 2x across cluster]',
        '',
      ),
      step(2),
      'QOQ_STEP {"step": 3',
      'QOQ_RESULT {"model": "/shared/model"}',
      'QOQ_ERROR {"code": "QOQ_SERVER_AWAY", "message": "It was away.", "hint": "Start it."}',
      'Traceback',
    ].join('\n'),
  )
  expect(log.steps.map(one => one.step)).toEqual([1, 2])
  expect(log.steps[0]!.rollouts[0]).toEqual(rollout)
  expect(log).toMatchObject({ model: '/shared/model', fault: { code: 'QOQ_SERVER_AWAY' } })
  expect(log.tail).toEqual(['loading weights', 'Traceback'])
})

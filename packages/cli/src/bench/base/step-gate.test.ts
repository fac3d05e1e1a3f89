import { expect, test } from 'vitest'
import { createStepGate } from './step-gate.ts'

/** Work of a thousand steps that counts them. */
function start(gate: ReturnType<typeof createStepGate>, failAt = Infinity) {
  const steps = { done: 0 }
  const work = async (): Promise<void> => {
    while (steps.done < 1000) {
      if (steps.done === failAt) throw new Error('broken')
      steps.done++
      await gate.wait()
    }
  }
  const ended = work().catch((error: unknown) => gate.end(error))
  return { steps, ended }
}

test('a gate lets work make one step at a time, then go on by itself', async () => {
  const gate = createStepGate()
  const { steps, ended } = start(gate)
  expect(steps.done).toBe(1)
  await gate.next()
  await gate.next()
  expect(steps.done).toBe(3)
  gate.open()
  await ended
  expect(steps.done).toBe(1000)
})

test('a gate hands on what broke the work', async () => {
  const gate = createStepGate()
  start(gate, 2)
  await gate.next()
  await expect(gate.next()).rejects.toThrow('broken')
  await expect(gate.next()).rejects.toThrow('broken')
})

import type { Executor } from '@qoq-med/tensor'
import { expect, test } from 'vitest'
import { createProgramCache, type Keyed, type ProgramCacheOptions } from './program-cache.ts'

/** Runs the keys through a cache on an executor that only counts: what was compiled (~ without memory of its own) and closed. */
async function visits(keys: readonly string[], options: Omit<ProgramCacheOptions, 'purpose'>) {
  const log: string[] = []
  const executor: Executor = {
    compile: async (graph, { keepsMemory } = {}) => {
      const { shape } = graph.inputs[0]!.tensor
      log.push(`${keepsMemory ? '' : '~'}+${shape.join()}`)
      return { inputs: [], outputs: [], run: async () => ({}), close: async () => void log.push(`-${shape.join()}`) }
    },
    close: async () => {},
  }
  const cache = createProgramCache(executor, new Map(), { purpose: 'test', ...options })
  for (const key of keys) {
    const batch: Keyed = { key, inputs: { x: { dtype: 'float32', shape: [Number(key)], data: new Float32Array() } } }
    await cache.program(batch, (graph, _, { inputs }) => {
      const types = [{ shape: [Number(key)], dtype: 'float32' }] as const
      graph.output('y', graph.record('Neg', [inputs('x')], {}, types)[0]!)
    })
  }
  return log
}

test('a cache closes the program that was used least recently', async () => {
  expect(await visits(['1', '2', '1', '3', '2'], { capacity: 2 })).toEqual(['+1', '+2', '+3', '-2', '+2', '-1'])
})

test('a cache closes programs until their values fit, and keeps the last one', async () => {
  const log = await visits(['10', '20', '30', '100'], { capacityBytes: 4 * 55 })
  expect(log).toEqual(['+10', '+20', '+30', '-10', '+100', '-20', '-30'])
})

test('programs that share memory count nothing, but for large ones', async () => {
  const large = String(2 ** 27)
  const log = await visits(['10', '20', large, '30'], { capacityBytes: 40, sharesMemory: true })
  expect(log).toEqual(['~+10', '~+20', `+${large}`, '~+30', `-${large}`])
})

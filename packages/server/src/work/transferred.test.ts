import { expect, test } from 'vitest'
import { transferredBuffers } from './transferred.ts'

test('memory of arrays in lists, fields and maps goes over, once; shared memory and a part of some do not', () => {
  const [a, b, c] = [new Uint8Array(3), new Float32Array(2), new Uint8Array(1)]
  const message = {
    list: [a, { b, again: a }],
    texts: new Map([['files.0.data', c]]),
    shared: new Uint8Array(new SharedArrayBuffer(4)),
    part: new Uint8Array(8).subarray(2),
    none: null,
  }
  expect(new Set(transferredBuffers(message))).toEqual(new Set([a.buffer, b.buffer, c.buffer]))
  expect(transferredBuffers(message)).toHaveLength(3)
})

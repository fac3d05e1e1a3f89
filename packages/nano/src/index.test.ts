import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import * as nano from './index.ts'

test('exports these names', () => {
  expect(Object.keys(nano).toSorted()).toEqual(['nanoPolicy', 'nanoWarmStart'])
})

const card = readFileSync(path.join(import.meta.dirname, '../README.md'), 'utf8')

test.for([nano.nanoPolicy, nano.nanoWarmStart])('the weights of $name are those of the card', ({ folder }) => {
  const weights = readFileSync(path.join(folder, 'model.safetensors'))
  expect(card).toContain(createHash('sha256').update(weights).digest('hex'))
})

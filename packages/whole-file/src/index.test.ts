import { expect, test } from 'vitest'
import * as publicNames from './index.ts'

test('the public names are those of the README', () => {
  expect(Object.keys(publicNames)).toEqual(['writeWhole'])
})

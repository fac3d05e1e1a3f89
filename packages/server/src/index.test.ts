import { expect, test } from 'vitest'
import * as server from './index.ts'

test('the public names are these', () => {
  expect(Object.keys(server).toSorted()).toMatchInlineSnapshot(`
    [
      "createServer",
      "defaultLimits",
      "listen",
      "researchNotice",
      "serverErrors",
    ]
  `)
})

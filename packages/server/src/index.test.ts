import { expect, test } from 'vitest'
import * as server from './index.ts'

test('the public names are these', () => {
  expect(Object.keys(server).toSorted()).toMatchInlineSnapshot(`
    [
      "addKey",
      "createServer",
      "defaultLimits",
      "listen",
      "openKeyFile",
      "readKeys",
      "researchNotice",
      "revokeKey",
      "scopes",
      "serverErrors",
    ]
  `)
})

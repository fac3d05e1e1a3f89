import { expect, test } from 'vitest'
import { nodeTooOld } from './node-version.ts'

test.for([
  { version: '20.20.2', isTooOld: true },
  { version: '22.17.1', isTooOld: true },
  { version: '22.18.0', isTooOld: false },
  { version: '24.0.0', isTooOld: false },
])('Node $version', ({ version, isTooOld }) => {
  expect(nodeTooOld(version)?.includes(version) ?? false).toBe(isTooOld)
})

import { describe, expect, test } from 'vitest'
import { architectureOf, architectures, ggufArchitecture, ggufNames, modelTypes } from './architectures.ts'

describe('architectures', () => {
  test('are found by every name that they have, and each name means one', () => {
    for (const each of architectures) {
      for (const name of each.modelTypes) expect(architectureOf(name)).toBe(each)
      for (const name of each.ggufNames) expect(ggufArchitecture(name)).toBe(each)
    }
    expect(new Set(modelTypes).size).toBe(modelTypes.length)
    expect(new Set(ggufNames).size).toBe(ggufNames.length)
  })

  test('have their family among the model types that they are written as', () => {
    for (const each of architectures) expect(architectureOf(each.family)).toBe(each)
  })

  test.for(['gpt2', '__proto__', 'constructor', ''])('do not know %s', name => {
    expect([architectureOf(name), ggufArchitecture(name)]).toEqual([undefined, undefined])
  })
})

import { describe, expect, test } from 'vitest'
import { updateKlController, type KlController } from './kl-controller.ts'

const adaptive: KlController = { type: 'adaptive', coefficient: 0.1, target: 0.5, horizon: 100 }

describe('updateKlController', () => {
  test('a fixed coefficient stays', () => {
    const fixed: KlController = { type: 'fixed', coefficient: 1e-4 }
    expect(updateKlController(fixed, 10, 256)).toBe(fixed)
  })

  test.for([
    { name: 'at the target it stays', kl: 0.5, want: 0.1 },
    { name: 'above it rises in proportion', kl: 0.55, want: 0.1 * (1 + 0.1 * 0.1) },
    { name: 'far above it rises by at most a fifth per horizon', kl: 50, want: 0.1 * (1 + 0.2 * 0.1) },
    { name: 'far below it falls by at most a fifth per horizon', kl: -1, want: 0.1 * (1 - 0.2 * 0.1) },
  ])('$name', ({ kl, want }) => {
    expect(updateKlController(adaptive, kl, 10).coefficient).toBeCloseTo(want, 12)
  })

  test('it returns a plain value that survives JSON and leaves its argument alone', () => {
    const next = updateKlController(adaptive, 1, 10)
    expect(JSON.parse(JSON.stringify(next))).toEqual(next)
    expect(adaptive.coefficient).toBe(0.1)
  })

  test.for([
    { name: 'a target of 0', controller: { ...adaptive, target: 0 }, kl: 1, message: /target .* is 0/ },
    { name: 'a negative horizon', controller: { ...adaptive, horizon: -1 }, kl: 1, message: /horizon .* is -1/ },
    { name: 'a NaN', controller: adaptive, kl: Number.NaN, message: /kl .* is NaN/ },
  ])('it refuses $name', ({ controller, kl, message }) => {
    expect(() => updateKlController(controller, kl, 1)).toThrow(
      expect.objectContaining({ code: 'DRPO_INVALID_OPTION', message: expect.stringMatching(message) }),
    )
  })
})

import { describe, expect, test } from 'vitest'
import { defineErrors, HintedError, isHintedError, nearestName } from './index.ts'

const zooErrors = defineErrors('ZOO', {
  CAGE_EMPTY: {
    message: (p: { cage: number }) => `Cage ${p.cage} is empty.`,
    hint: p => `Look into cage ${p.cage + 1}.`,
  },
})

describe('defineErrors', () => {
  test('makes an error with prefixed code, sentence, hint and cause', () => {
    const cause = new Error('door')
    const error = zooErrors.CAGE_EMPTY({ cage: 3 }, { cause })
    expect(error).toBeInstanceOf(HintedError)
    expect(error.toJSON()).toEqual({ code: 'ZOO_CAGE_EMPTY', message: 'Cage 3 is empty.', hint: 'Look into cage 4.' })
    expect(error.cause).toBe(cause)
    expect(isHintedError(error)).toBe(true)
    expect(isHintedError(cause)).toBe(false)
  })

  test('gives an error the HTTP status of its row, and none where the row has none', () => {
    const { GONE, HERE } = defineErrors('DOOR', {
      GONE: { message: () => 'It is gone.', hint: () => 'Look elsewhere.', status: 410 },
      HERE: { message: () => 'It is here.', hint: () => 'Open it.' },
    })
    expect([GONE({}).status, HERE({}).status]).toEqual([410, undefined])
  })
})

describe('nearestName', () => {
  test.for([
    { typed: 'epsilom', want: 'epsilon' },
    { typed: 'Tau', want: 'tau' },
    { typed: 'elephant', want: undefined },
  ])('suggests $want for $typed', ({ typed, want }) => {
    expect(nearestName(typed, ['epsilon', 'tau', 'restarts'])).toBe(want)
  })
})

test('the values of a row are typed by its message', () => {
  // @ts-expect-error: the cage is a number
  expect(zooErrors.CAGE_EMPTY({ cage: 'three' }).message).toBe('Cage three is empty.')
})

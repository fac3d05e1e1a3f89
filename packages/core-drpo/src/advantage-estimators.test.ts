import { HintedError } from '@qoq-med/errors'
import { describe, expect, test } from 'vitest'
import { defineEstimator } from './advantage-estimator.ts'
import { advantageEstimators, createEstimatorRegistry, estimateAdvantages } from './advantage-estimators.ts'
import { explainAdvantage } from './explain-advantage.ts'

const batch = { rewards: [1, 0, 0.5], questionIds: [1, 1, 1], domains: ['ecg', 'ecg', 'ecg'] }

const centred = defineEstimator({
  name: 'centred',
  about: 'Reward minus a constant.',
  options: { centre: { type: 'number', default: 0.5, minimum: 0, maximum: 1, about: 'what is subtracted' } },
  estimate: ({ rewards }, { centre }) => ({
    level: 'response',
    advantages: Float64Array.from(rewards, reward => reward - centre),
    stages: { type: 'centred' },
    state: undefined,
  }),
})

/** The code of the error that a call throws. */
function refusalOf(call: () => unknown): string | undefined {
  try {
    call()
    return undefined
  } catch (error) {
    return error instanceof HintedError ? error.code : String(error)
  }
}

describe('advantageEstimators', () => {
  test('it has the paper and its siblings', () => {
    expect(advantageEstimators.names()).toEqual([
      'drpo',
      'drpo-domain-only',
      'drpo-no-kl',
      'drpo-recommended',
      'fair-grpo',
      'fair-grpo-nd',
      'eqpo',
      'group-dro',
      'grpo',
      'dr-grpo',
      'rloo',
      'opo',
      'remax',
      'reinforce++',
      'gae',
    ])
  })

  test("it takes the user's own, with checked options, until that is removed", () => {
    const remove = advantageEstimators.register(centred)
    const result = estimateAdvantages('centred', batch, { centre: 0.25 })
    expect([...(result.advantages as Float64Array)]).toEqual([0.75, -0.25, 0.25])
    expect(explainAdvantage(result, 1).words).toBe('centred gives response 1 the advantage -0.25.')
    expect(() => estimateAdvantages('centred', batch, { center: 0 })).toThrow(
      expect.objectContaining({ code: 'DRPO_UNKNOWN_OPTION', hint: 'Did you mean centre?' }),
    )
    remove()
    expect(() => estimateAdvantages('centred', batch)).toThrow(
      expect.objectContaining({ code: 'DRPO_UNKNOWN_ESTIMATOR' }),
    )
  })

  test.for(advantageEstimators.names())('%s reads what it says that it needs, and nothing else', name => {
    const { estimate, needs } = advantageEstimators.get(name)
    const read = new Set<PropertyKey>()
    const whole = {
      ...batch,
      kl: [1, 2, 3],
      lengths: [1, 2, 1],
      baselines: [0, 0, 0],
      values: [[0], [0, 0], [0]],
    }
    const watched = new Proxy(whole, { get: (target, field) => (read.add(field), Reflect.get(target, field)) })
    expect(estimate(watched).estimator).toBe(name)
    const optional = ['kl', 'lengths', 'baselines', 'values'] as const
    const declared = optional.filter(field => needs[field] === true)
    expect(optional.filter(field => read.has(field))).toEqual(declared)
    const refused = refusalOf(() => estimate({ ...whole, questionIds: [1, 2, 3] }))
    expect(refused).toBe(needs.smallestGroup === 2 ? 'DRPO_GROUP_TOO_SMALL' : undefined)
  })

  test('it refuses a name twice', () => {
    const registry = createEstimatorRegistry([centred])
    expect(() => registry.register(centred)).toThrow(expect.objectContaining({ code: 'DRPO_ESTIMATOR_EXISTS' }))
  })

  test.for([
    { name: 'drop', hint: 'Did you mean drpo?' },
    { name: 'elephant', hint: /^Known are drpo, drpo-domain-only/ },
  ])('it does not know $name, and says what it knows', ({ name, hint }) => {
    expect(() => estimateAdvantages(name, batch)).toThrow(
      expect.objectContaining({
        code: 'DRPO_UNKNOWN_ESTIMATOR',
        message: `There is no advantage estimator ${name}.`,
        hint: expect.stringMatching(hint),
      }),
    )
  })

  interface BadOptions {
    readonly name: string
    readonly options: unknown
    readonly code: string
    readonly hint: string | RegExp
  }

  test.for<BadOptions>([
    { name: 'an unknown option', options: { restart: 3 }, code: 'DRPO_UNKNOWN_OPTION', hint: 'Did you mean restarts?' },
    {
      name: 'a number out of range',
      options: { dampingQuantile: 90 },
      code: 'DRPO_INVALID_OPTION',
      hint: 'Set dampingQuantile to a number from 0 to 1.',
    },
    {
      name: 'a fraction for a count',
      options: { restarts: 2.5 },
      code: 'DRPO_INVALID_OPTION',
      hint: 'Set restarts to an integer from 1 to 1000.',
    },
    {
      name: 'a text for a switch',
      options: { noKl: 'yes' },
      code: 'DRPO_INVALID_OPTION',
      hint: 'Set noKl to true or false.',
    },
    {
      name: 'a name that is no choice',
      options: { dampingSign: 'negative' },
      code: 'DRPO_INVALID_OPTION',
      hint: 'Set dampingSign to one of positive, both.',
    },
    { name: 'null', options: { epsilon: null }, code: 'DRPO_INVALID_OPTION', hint: /a number from/ },
    { name: 'a list', options: [], code: 'DRPO_FIELD_INVALID', hint: 'Pass options of drpo as an object.' },
    { name: 'an inherited name', options: { toString: 1 }, code: 'DRPO_UNKNOWN_OPTION', hint: /^Known are epsilon/ },
  ])('drpo refuses $name as option', ({ options, code, hint }) => {
    expect(() => estimateAdvantages('drpo', batch, options)).toThrow(
      expect.objectContaining({ code, hint: expect.stringMatching(hint) }),
    )
  })

  test('the variants of drpo are its options', () => {
    const kl = [3, 1, 2]
    for (const [name, options] of [
      ['drpo-domain-only', { domainOnly: true }],
      ['drpo-no-kl', { noKl: true }],
    ] as const)
      expect(estimateAdvantages(name, { ...batch, kl }).advantages).toEqual(
        estimateAdvantages('drpo', { ...batch, kl }, options).advantages,
      )
  })
})

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { counterRandom, counterStream, philox } from './counter-random.ts'
import { checkSamplingOptions, sampleToken, samplingProbabilities, topLogprobs } from './sampler.ts'
import { createStopMatcher } from './stop-matcher.ts'

interface SamplingCase {
  readonly logits: number[]
  readonly seen_ids: number[]
  readonly repetition_penalty: number
  readonly temperature: number
  readonly top_k: number
  readonly top_p: number
  readonly probabilities: number[]
}
const url = new URL('../../fixtures/sampling.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(url, 'utf8')) as { cases: SamplingCase[] } // our own fixture
const optionsOf = (from: SamplingCase) => ({
  repetitionPenalty: from.repetition_penalty,
  temperature: from.temperature,
  topK: from.top_k,
  topP: from.top_p,
})

describe('samplingProbabilities', () => {
  test.for(cases.map((from, number) => ({ number, from })))('equals transformers, case $number', ({ from }) => {
    const got = samplingProbabilities(Float32Array.from(from.logits), from.seen_ids, optionsOf(from))
    from.probabilities.forEach((want, i) => expect(Math.abs(got[i]! - want)).toBeLessThan(1e-6))
  })

  test('keeps at least minP of the largest probability', () => {
    const logits = Float32Array.from([0.5, 0.3, 0.2], Math.log)
    const [first, second, third] = samplingProbabilities(logits, [], { minP: 0.5 })
    expect(first).toBeCloseTo(0.625, 6)
    expect(second).toBeCloseTo(0.375, 6)
    expect(third).toBe(0)
  })

  test('sums to one over the most probable tokens, whatever the limits', () => {
    const logits = fc.array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: 1, maxLength: 40 })
    const limits = fc.record({
      topK: fc.nat(50),
      topP: fc.double({ min: 0.01, max: 1, noNaN: true }),
      temperature: fc.double({ min: 0.1, max: 3, noNaN: true }),
    })
    fc.assert(
      fc.property(logits, limits, (values, options) => {
        const probabilities = samplingProbabilities(Float32Array.from(values), [], options)
        expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 9)
        const kept = values.filter((_, i) => probabilities[i]! > 0)
        const dropped = values.filter((_, i) => probabilities[i] === 0)
        expect(Math.min(...kept)).toBeGreaterThanOrEqual(Math.max(...dropped, -Infinity))
        expect(kept.length).toBeLessThanOrEqual(options.topK || values.length)
      }),
    )
  })
})

describe('sampleToken', () => {
  const logits = Float32Array.from([0.1, 0.6, 0.3], Math.log)

  test.for([
    { uniform: 0.05, want: 0 },
    { uniform: 0.15, want: 1 },
    { uniform: 0.65, want: 1 },
    { uniform: 0.75, want: 2 },
    { uniform: 1 - 2 ** -53, want: 2 },
  ])('inverts the cumulative distribution at $uniform', ({ uniform, want }) => {
    const { tokenId, logprob } = sampleToken(logits, [], {}, uniform)
    expect(tokenId).toBe(want)
    expect(logprob).toBeCloseTo(logits[want]!, 6)
  })

  test('takes the largest logit at temperature 0, after the penalty', () => {
    expect(sampleToken(logits, [], { temperature: 0 }, 0.99).tokenId).toBe(1)
    expect(sampleToken(logits, [1], { temperature: 0, repetitionPenalty: 3 }, 0).tokenId).toBe(2)
  })

  test('reports the log-probability of the tempered but unlimited distribution', () => {
    const { logprob } = sampleToken(logits, [1], { temperature: 0.5, topK: 1, repetitionPenalty: 1.1 }, 0)
    expect(logprob).toBeCloseTo(Math.log(0.36 / (0.01 + 0.36 + 0.09)), 6)
  })

  test.for([0, 1])('says when logits are not finite, at temperature %s', temperature => {
    for (const bad of [NaN, Infinity]) {
      const broken = Float32Array.of(0, bad, 1)
      const error = expect.objectContaining({ code: 'MODEL_LOGITS_NOT_FINITE' })
      expect(() => sampleToken(broken, [], { temperature }, 0.5)).toThrow(error)
    }
  })

  test.for([
    { temperature: -1 },
    { temperature: NaN },
    { topK: 1.5 },
    { topP: 0 },
    { minP: 2 },
    { repetitionPenalty: 0 },
  ])('refuses %o', options => {
    expect(() => checkSamplingOptions(options)).toThrow(expect.objectContaining({ code: 'MODEL_OPTION_INVALID' }))
  })
})

describe('topLogprobs', () => {
  test('lists the best tokens, best first', () => {
    const top = topLogprobs(Float32Array.from([0.1, 0.6, 0.3], Math.log), 2, 1)
    expect(top.map(each => each.tokenId)).toEqual([1, 2])
    expect(top[1]!.logprob).toBeCloseTo(Math.log(0.3), 6)
  })
})

describe('philox', () => {
  // Known answers of the Random123 distribution (kat_vectors).
  test.for([
    { counter: [0, 0, 0, 0], key: [0, 0], want: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
    {
      counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      key: [0xffffffff, 0xffffffff],
      want: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    },
    {
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      key: [0xa4093822, 0x299f31d0],
      want: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    },
  ] as const)('gives the known answer for $key', ({ counter, key, want }) => {
    expect(philox(counter, key)).toEqual(want)
  })
})

describe('counterRandom', () => {
  test('is uniform: the mean of 20,000 draws is within 5 standard errors of 1/2', () => {
    let sum = 0
    for (let place = 0; place < 20_000; place++) sum += counterRandom(7, 3, place)
    expect(Math.abs(sum / 20_000 - 0.5)).toBeLessThan((5 * Math.sqrt(1 / 12)) / Math.sqrt(20_000))
  })

  test('differs with seed, sequence and place', () => {
    const draws = [
      counterRandom(0, 0, 0),
      counterRandom(1, 0, 0),
      counterRandom(0, 1, 0),
      counterRandom(0, 0, 1),
      counterRandom(2 ** 40, 0, 0),
    ]
    expect(new Set(draws).size).toBe(5)
  })
})

function drawn(seed: number, sequence: number): number[] {
  const random = counterStream(seed, sequence)
  return Array.from({ length: 5 }, () => random())
}

describe('counterStream', () => {
  test('repeats for the same seed and sequence, and differs for others', () => {
    expect(drawn(1, 2)).toEqual(drawn(1, 2))
    expect(new Set([...drawn(1, 2), ...drawn(1, 3), ...drawn(2, 2)]).size).toBe(15)
  })
})

describe('createStopMatcher', () => {
  test.for([
    { name: 'a stop string across pieces', stops: ['</s>'], pieces: ['ab<', '/s', '>c'], want: 'ab', stop: '</s>' },
    { name: 'a false start', stops: ['</s>'], pieces: ['a</', 'b'], want: 'a</b', stop: undefined },
    { name: 'the first of two', stops: ['xy', 'b'], pieces: ['ab', 'xy'], want: 'a', stop: 'b' },
    { name: 'the longest of two that begin together', stops: ['b', 'bc'], pieces: ['abc'], want: 'a', stop: 'bc' },
    { name: 'no stop strings', stops: [], pieces: ['a', 'b'], want: 'ab', stop: undefined },
  ])('handles $name', ({ stops, pieces, want, stop }) => {
    const matcher = createStopMatcher(stops)
    let text = ''
    let reached: string | undefined
    for (const piece of pieces) {
      if (reached !== undefined) break
      const progress = matcher.push(piece)
      text += progress.text
      reached = progress.stop
    }
    expect(reached).toBe(stop)
    expect(reached === undefined ? text + matcher.flush() : text).toBe(want)
  })
})

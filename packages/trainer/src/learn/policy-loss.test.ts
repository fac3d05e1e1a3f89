import { policyLoss as policyLossValue } from '@qoq-med/core-drpo'
import { dense, denseOps, evaluateGraph, gradients, Graph, graphOps, type Dense, type Tensor } from '@qoq-med/tensor'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { policyLossGraph, sftLoss, tokenWeights, type PolicyLossGraphOptions } from './policy-loss.ts'

const vector = (values: readonly number[]): Dense => dense(values, [values.length])
const scalar = ({ data }: Dense): number => Number(data[0])

/** One token with the ratio e^logRatio under an advantage; the reference is the policy itself. */
function tokenLoss(logRatio: number, advantage: number, dualClip?: number): number {
  const inputs = {
    policyLogprobs: vector([logRatio]),
    oldLogprobs: vector([0]),
    refLogprobs: vector([logRatio]),
    advantages: vector([advantage]),
    weights: vector([1]),
    klWeights: vector([1]),
  }
  return scalar(policyLossGraph(denseOps, inputs, { clipRatioLow: 0.2, clipRatioHigh: 0.3, dualClip }).loss)
}

const names = ['policyLogprobs', 'oldLogprobs', 'refLogprobs', 'advantages', 'weights', 'klWeights'] as const

describe('policyLossGraph', () => {
  test.for([
    { name: 'inside the range the ratio counts', logRatio: Math.log(1.1), advantage: 2, want: -2.2 },
    { name: 'a gain is clipped above', logRatio: Math.log(2), advantage: 2, want: -2.6 },
    { name: 'a loss is not clipped above', logRatio: Math.log(2), advantage: -2, want: 4 },
    { name: 'a loss is clipped below', logRatio: Math.log(0.5), advantage: -2, want: 1.6 },
    { name: 'a gain is not clipped below', logRatio: Math.log(0.5), advantage: 2, want: -1 },
  ])('$name', ({ logRatio, advantage, want }) => {
    expect(tokenLoss(logRatio, advantage)).toBeCloseTo(want, 6)
  })

  test('the dual clip bounds what a negative advantage costs', () => {
    expect(tokenLoss(Math.log(10), -2, 3)).toBeCloseTo(6, 6)
    expect(tokenLoss(Math.log(2), -2, 3)).toBeCloseTo(4, 6)
    expect(tokenLoss(Math.log(10), 2, 3)).toBeCloseTo(-2.6, 6)
  })

  test('the share of the dual clip is the one of core-drpo', () => {
    const rows = [Math.log(10), Math.log(2), Math.log(4), Math.log(10)]
    const advantages = [-2, -2, -1, 2]
    const inputs = {
      policyLogprobs: vector(rows),
      oldLogprobs: vector([0, 0, 0, 0]),
      refLogprobs: vector(rows),
      advantages: vector(advantages),
      weights: vector([0.25, 0.25, 0.25, 0.25]),
      klWeights: vector([0, 0, 0, 0]),
    }
    const options = { clipRatioLow: 0.2, clipRatioHigh: 0.3, dualClip: 3 }
    const got = policyLossGraph(denseOps, inputs, options)
    const flat = { policyLogprobs: [Float64Array.from(rows)], oldLogprobs: [new Float64Array(4)] }
    const want = policyLossValue({ ...flat, advantages: [Float64Array.from(advantages)] }, options)
    expect(want.dualClipFraction).toBe(0.5)
    expect(scalar(got.dualClipFraction!)).toBe(want.dualClipFraction)
    expect(policyLossGraph(denseOps, inputs, { clipRatioLow: 0.2, clipRatioHigh: 0.3 })).not.toHaveProperty(
      'dualClipFraction',
    )
  })

  test('the penalty is the k3 estimate of the divergence', () => {
    const inputs = {
      policyLogprobs: vector([-1, -2]),
      oldLogprobs: vector([-1, -2]),
      refLogprobs: vector([-1.5, -2]),
      advantages: vector([0, 0]),
      weights: vector([0.5, 0.5]),
      klWeights: vector([0.05, 0.05]),
    }
    const { loss, klPenalty, clipFraction } = policyLossGraph(denseOps, inputs, {
      clipRatioLow: 0.2,
      clipRatioHigh: 0.2,
    })
    const k3 = (Math.exp(-0.5) + 0.5 - 1) / 2
    expect(scalar(klPenalty)).toBeCloseTo(k3, 6)
    expect(scalar(loss)).toBeCloseTo(0.1 * k3, 6)
    expect(scalar(clipFraction)).toBe(0)
  })
})

test('padding counts for nothing, however unlikely its token is', () => {
  const graph = new Graph()
  const inputs = Object.fromEntries(names.map(name => [name, graph.input(name, [2])])) as Record<
    (typeof names)[number],
    Tensor
  > // one per name
  const options = { clipRatioLow: 0.2, clipRatioHigh: 0.2 }
  const { loss } = policyLossGraph(graphOps(graph), inputs, options)
  graph.output('loss', loss)
  graph.output('gradient', gradients(graph, loss, [inputs.policyLogprobs])[0]!)
  const got = evaluateGraph(graph, {
    policyLogprobs: vector([-1, -2000]),
    oldLogprobs: vector([-1, 0]),
    refLogprobs: vector([-1, 0]),
    advantages: vector([2, 0]),
    weights: vector([1, 0]),
    klWeights: vector([0.1, 0]),
  })
  expect(scalar(got.loss!)).toBeCloseTo(-2, 6)
  expect([...got.gradient!.data].map(Number)).toEqual([-2, 0])
})

test('sftLoss is the weighted negative log-likelihood', () => {
  expect(scalar(sftLoss(denseOps, vector([-1, -3]), vector([0.25, 0.75])))).toBeCloseTo(2.5, 6)
})

describe('tokenWeights', () => {
  test.for([
    { aggregation: 'sequence-mean-token-mean', want: [0.125, 0.5] },
    { aggregation: 'token-mean', want: [0.2, 0.2] },
    { aggregation: 'sequence-mean-token-sum-norm', want: [0.05, 0.05] },
  ] as const)('$aggregation', ({ aggregation, want }) => {
    expect(tokenWeights([4, 1], aggregation, 10)).toEqual(want)
  })

  test('an empty completion weighs nothing and does not count', () => {
    expect(tokenWeights([0, 2], 'sequence-mean-token-mean', 10)).toEqual([0, 0.5])
  })
})

/** Exact in float32: no pair lies on one side of a bound there and on the other in float64. */
const sixteenths = (least: number): fc.Arbitrary<number> => fc.integer({ min: 16 * least, max: 0 }).map(x => x / 16)

describe('the loss as a graph', () => {
  // Log-probabilities of the reference may lie so far from the policy's that low_var_kl cuts k3 off at 10.
  const logprob = sixteenths(-2)
  const refLogprob = fc.oneof(logprob, sixteenths(-40))
  const token = fc.tuple(fc.oneof(logprob, fc.constant(-8)), logprob, refLogprob)
  const response = fc.tuple(
    fc.double({ min: -3, max: 3, noNaN: true }),
    fc.array(token, { minLength: 1, maxLength: 5 }),
  )
  type Response = readonly [number, readonly (readonly [number, number, number])[]]

  function graphLoss(
    responses: readonly Response[],
    weights: readonly number[],
    { klCoefficient, ...options }: PolicyLossGraphOptions,
  ): { loss: number; gradient: number[] } {
    const rows = (at: 0 | 1 | 2): number[] => responses.flatMap(([, tokens]) => tokens.map(values => values[at]))
    const perToken = (of: (i: number) => number): number[] =>
      responses.flatMap(([, tokens], i) => tokens.map(() => of(i)))
    const values = {
      policyLogprobs: rows(0),
      oldLogprobs: rows(1),
      refLogprobs: rows(2),
      advantages: perToken(i => responses[i]![0]),
      weights: perToken(i => weights[i]!),
      klWeights: perToken(i => klCoefficient * weights[i]!),
    }
    const graph = new Graph()
    const inputs = Object.fromEntries(names.map(name => [name, graph.input(name, [values[name].length])])) as Record<
      (typeof names)[number],
      Tensor
    > // one per name
    const { loss } = policyLossGraph(graphOps(graph), inputs, options)
    graph.output('loss', loss)
    graph.output('gradient', gradients(graph, loss, [inputs.policyLogprobs])[0]!)
    const got = evaluateGraph(graph, Object.fromEntries(names.map(name => [name, vector(values[name])])))
    return { loss: scalar(got.loss!), gradient: [...got.gradient!.data].map(Number) }
  }

  test('is the loss that core-drpo computes as a number, with the same gradient', () => {
    const batch = fc.array(response, { minLength: 1, maxLength: 4 })
    const aggregation = fc.constantFrom('sequence-mean-token-mean' as const, 'token-mean' as const)
    const dualClip = fc.constantFrom(undefined, 3)
    const estimator = fc.constantFrom(
      'k3' as const,
      'low_var_kl' as const,
      'kl' as const,
      'abs' as const,
      'mse' as const,
    )
    fc.assert(
      fc.property(batch, aggregation, dualClip, estimator, (responses, mean, dual, klEstimator) => {
        const rows = (at: 0 | 1 | 2) => responses.map(([, tokens]) => tokens.map(values => values[at]))
        const options = { clipRatioLow: 0.2, clipRatioHigh: 0.3, klCoefficient: 0.1, klEstimator }
        const advantages = responses.map(([advantage]) => advantage)
        const want = policyLossValue(
          { policyLogprobs: rows(0), oldLogprobs: rows(1), refLogprobs: rows(2), advantages },
          { ...options, aggregation: mean, ...(dual && { dualClip: dual }) },
        )
        const lengths = responses.map(([, tokens]) => tokens.length)
        const got = graphLoss(responses, tokenWeights(lengths, mean, 5), { ...options, dualClip: dual })
        expect(Math.abs(got.loss - want.loss)).toBeLessThan(1e-5 * Math.max(1, Math.abs(want.loss)))
        want.gradient
          .flatMap(row => [...row])
          .forEach((value, i) =>
            expect(Math.abs(got.gradient[i]! - value)).toBeLessThan(1e-5 * Math.max(1, Math.abs(value))),
          )
      }),
      { numRuns: 300 },
    )
  })

  test('a reference that finds a token impossible, or certain, costs low_var_kl 10 and moves nothing', () => {
    const clip = { clipRatioLow: 0.2, clipRatioHigh: 0.2 }
    const options = { ...clip, klCoefficient: 0.5, klEstimator: 'low_var_kl' as const }
    expect(graphLoss([[0, [[-2000, -2000, 0]]]], [1], options)).toEqual({ loss: 5, gradient: [0] })
    expect(graphLoss([[0, [[-1, -1, -2000]]]], [1], options)).toEqual({ loss: 5, gradient: [0] })
  })
})

import { valueLoss as valueLossValue } from '@qoq-med/core-drpo'
import { dense, evaluateGraph, gradients, Graph, graphOps, type Dense, type Tensor } from '@qoq-med/tensor'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { valueLoss } from './value-loss.ts'

const names = ['predictions', 'returns', 'oldValues', 'weights'] as const
const vector = (values: readonly number[]): Dense => dense(values, [values.length])

function graphLoss(values: Record<(typeof names)[number], readonly number[]>, clipRange: number) {
  const graph = new Graph()
  const inputs = Object.fromEntries(names.map(name => [name, graph.input(name, [values[name].length])])) as Record<
    (typeof names)[number],
    Tensor
  > // one per name
  const { loss, clipFraction } = valueLoss(graphOps(graph), inputs, clipRange)
  graph.output('loss', loss)
  graph.output('clipFraction', clipFraction)
  graph.output('gradient', gradients(graph, loss, [inputs.predictions])[0]!)
  const got = evaluateGraph(graph, Object.fromEntries(names.map(name => [name, vector(values[name])])))
  const numbers = (name: string): number[] => [...got[name]!.data].map(Number)
  return { loss: numbers('loss')[0]!, clipFraction: numbers('clipFraction')[0]!, gradient: numbers('gradient') }
}

test('is the clipped loss that core-drpo computes as a number, with the same gradient', () => {
  // Eighths are exact in float32, and no clip range is one: nothing lies on a bound.
  const value = fc.integer({ min: -16, max: 16 }).map(x => x / 8)
  const tokens = fc.array(fc.tuple(value, value, value), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(tokens, fc.constantFrom(0.1, 0.55, 5.1), (rows, clipRange) => {
      const [predictions, returns, oldValues] = [0, 1, 2].map(at => rows.map(row => row[at]!)) as [
        number[],
        number[],
        number[],
      ] // three columns
      const want = valueLossValue([predictions], [returns], [oldValues], clipRange)
      const weights = rows.map(() => 1 / rows.length)
      const got = graphLoss({ predictions, returns, oldValues, weights }, clipRange)
      expect(got.loss).toBeCloseTo(want.loss, 5)
      expect(got.clipFraction).toBeCloseTo(want.clipFraction, 5)
      want.gradient[0]!.forEach((slope, i) => expect(got.gradient[i]).toBeCloseTo(slope, 5))
    }),
    { numRuns: 300 },
  )
})

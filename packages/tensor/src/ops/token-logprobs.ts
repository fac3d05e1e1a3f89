import { denseZeros } from '../dense.ts'
import { tensorErrors } from '../errors.ts'
import { sizeOf, type Tensor } from '../graph/tensor.ts'
import { floatScalar, int64Vector, result, type OnnxScope } from './onnx-scope.ts'
import { defineOp, type OpDefinition } from './definition.ts'
import type { OpAttributes } from './op-attributes.ts'
import { tfPositions } from './indexing.ts'
import { matmulOps } from './matmul.ts'
import { denseSoftmax } from './softmax.ts'

/**
 * The vocabulary head for chosen tokens. Inputs hidden [N, D], head [V, D], targets int32 [N]; results logprobs [N] and
 * the errors [N, V], the probabilities less one at each target, which the gradient reads.
 */
export const tokenLogprobOps = {
  TokenLogprobs: defineOp<OpAttributes['TokenLogprobs']>({
    isProduct: true,
    infer: ([hidden, head, targets]) => {
      const [rows, width] = hidden!.shape
      if (hidden!.shape.length !== 2 || head!.shape[1] !== width || targets!.shape.join() !== `${rows}`) {
        const shapes = [hidden!, head!, targets!].map(x => `[${x.shape.join(', ')}]`).join(', ')
        throw tensorErrors.SHAPE({ op: 'tokenLogprobs', reason: `hidden, head, targets have the shapes ${shapes}` })
      }
      return [
        { shape: [rows!], dtype: 'float32' },
        { shape: [rows!, head!.shape[0]!], dtype: 'float32' },
      ]
    },
    emit: (onnx, { inputs, outputs, inputTypes, attributes: { scale } }) => {
      const [hidden, head, targets] = inputs as readonly [string, string, string] // `infer` took three
      const rows = inputTypes[0]!.shape[0]!
      const logits = result(onnx, 'Gemm', [hidden, head], { transB: 1, alpha: { float: scale } })
      const { powers, sum, top, logSum } = softmaxParts(onnx, logits)
      if (outputs[0]) {
        const chosen = rowwise(onnx, 'ReduceSum', rowProduct(onnx, hidden, head, targets))
        const scaled = scale === 1 ? chosen : result(onnx, 'Mul', [chosen, floatScalar(onnx, scale)])
        // In this order the small difference comes first, and only one rounding is as coarse as the result.
        onnx.node('Sub', [result(onnx, 'Sub', [scaled, top]), logSum], [outputs[0]])
      }
      if (outputs[1]) lessOneAtTargets(onnx, result(onnx, 'Div', [powers, sum]), targets, { rows, output: outputs[1] })
    },
    tfjs: (tf, [hidden, head, targets], { scale }) => {
      const logits = tf.mul(tf.matMul(hidden!, head!, false, true), scale)
      const top = tf.max(logits, 1, true)
      const powers = tf.exp(tf.sub(logits, top))
      const sum = tf.sum(powers, 1, true)
      const probabilities = tf.div(powers, sum)
      const total = tf.reshape(tf.add(top, tf.log(sum)), [hidden!.shape[0]!])
      const chosen = tf.mul(tf.sum(tf.mul(hidden!, tf.gather(head!, targets!)), 1), scale)
      const [rows, width] = logits.shape as readonly [number, number] // a product of matrices
      const places = tf.reshape(tfPositions(tf, [rows, width], tf.reshape(targets!, [rows, 1]), 1), [rows, 1])
      const lessOne = tf.scatterND(places, tf.tensor(new Float32Array(rows).fill(-1), [rows], 'float32'), [
        rows * width,
      ])
      return [tf.sub(chosen, total), tf.add(probabilities, tf.reshape(lessOne, [rows, width]))]
    },
    flops: ([hidden, head]) => 2 * hidden!.shape[0]! * sizeOf(head!.shape),
    vjp: (ops, { inputs, outputs, attributes: { scale }, dy, wanted }) => {
      const [hidden, head] = inputs as readonly [Tensor, Tensor, Tensor] // `infer` took three
      const weight = ops.reshape(ops.mul(dy, ops.constant(-scale)), [hidden.shape[0]!, 1])
      const gemm = (a: Tensor, b: Tensor, transposeA: boolean) =>
        ops.apply('Gemm', [a, b], { transposeA, transposeB: false })[0]!
      const dHidden = () => ops.mul(gemm(outputs[1]!, head, false), weight)
      const dHead = () => gemm(outputs[1]!, ops.mul(hidden, weight), true)
      return [wanted[0] ? dHidden() : undefined, wanted[1] ? dHead() : undefined, undefined]
    },
    reference: ([hidden, head, targets], { scale }) => {
      const logits = matmulOps.MatMul.reference([hidden!, head!], { transposeA: false, transposeB: true, scale })[0]!
      const probabilities = denseSoftmax(logits)
      const [rows, width] = logits.shape as readonly [number, number] // a product of matrices
      const logprobs = denseZeros([rows])
      for (let row = 0; row < rows; row++) {
        const target = row * width + Number(targets!.data[row])
        logprobs.data[row] = Math.log(probabilities.data[target]!)
        probabilities.data[target]! -= 1
      }
      return [logprobs, probabilities]
    },
  }),
} satisfies Record<string, OpDefinition<never>>

/**
 * Writes the softmax over the vocabulary as far as its division: exp(logit − largest) [N, V] and the sums of its rows
 * [N, 1], the largest logits and the logarithms of those sums, both [N]. ONNX Runtime's own Softmax sums less exactly over a
 * large vocabulary, and the sum would have to be recovered from its largest entry.
 */
function softmaxParts(onnx: OnnxScope, logits: string): Record<'powers' | 'sum' | 'top' | 'logSum', string> {
  const top = rowwise(onnx, 'ReduceMax', logits, 1)
  const powers = result(onnx, 'Exp', [result(onnx, 'Sub', [logits, top])])
  const sum = rowwise(onnx, 'ReduceSum', powers, 1)
  return { powers, sum, top: vector(onnx, top), logSum: vector(onnx, result(onnx, 'Log', [sum])) }
}

/** Subtracts one at the target of each row, in place: a row has one target, so nothing races. */
function lessOneAtTargets(
  onnx: OnnxScope,
  probabilities: string,
  targets: string,
  { rows, output }: { readonly rows: number; readonly output: string },
): void {
  const column = result(onnx, 'Unsqueeze', [targets, int64Vector(onnx, [1])])
  const ones = onnx.constant(new Float32Array(rows).fill(-1), [rows, 1], 'float32')
  onnx.node('ScatterElements', [probabilities, column, ones], [output], { axis: 1, reduction: 'add' })
}

/** Drops the last axis of a column. */
function vector(onnx: OnnxScope, column: string): string {
  return result(onnx, 'Squeeze', [column, int64Vector(onnx, [1])])
}

function rowProduct(onnx: OnnxScope, hidden: string, head: string, targets: string): string {
  return result(onnx, 'Mul', [hidden, result(onnx, 'Gather', [head, targets], { axis: 0 })])
}

function rowwise(onnx: OnnxScope, type: 'ReduceSum' | 'ReduceMax', x: string, keepdims: 0 | 1 = 0): string {
  return result(onnx, type, [x, int64Vector(onnx, [-1])], { keepdims })
}

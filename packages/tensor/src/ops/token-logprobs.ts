import { denseZeros } from '../dense/dense.ts'
import { tensorErrors } from '../errors.ts'
import { sizeOf, type Tensor } from '../graph/tensor.ts'
import { floatScalar, int64Vector, type OnnxScope } from '../onnx/onnx-scope.ts'
import { defineOp, type OpDefinition } from './definition.ts'
import { matmulOps } from './matmul.ts'
import { denseSoftmax } from './softmax.ts'

interface Sampling {
  /** 1 / temperature. */
  readonly scale: number
}

/**
 * The vocabulary head for chosen tokens. Inputs hidden [N, D], head [V, D], targets int32 [N]; results logprobs [N],
 * log Σ exp of the logits [N] and the probabilities [N, V] that the gradient reads.
 */
export const tokenLogprobOps = {
  TokenLogprobs: defineOp<Sampling>({
    infer: ([hidden, head, targets]) => {
      const [rows, width] = hidden!.shape
      if (hidden!.shape.length !== 2 || head!.shape[1] !== width || targets!.shape.join() !== `${rows}`) {
        const shapes = [hidden!, head!, targets!].map(x => `[${x.shape.join(', ')}]`).join(', ')
        throw tensorErrors.SHAPE({ op: 'tokenLogprobs', reason: `hidden, head, targets have the shapes ${shapes}` })
      }
      return [
        { shape: [rows!], dtype: 'float32' },
        { shape: [rows!], dtype: 'float32' },
        { shape: [rows!, head!.shape[0]!], dtype: 'float32' },
      ]
    },
    emit: (onnx, { inputs, outputs, attributes: { scale } }) => {
      const [hidden, head, targets] = inputs as readonly [string, string, string] // `infer` took three
      const logits = onnx.temporary()
      onnx.node('Gemm', [hidden, head], [logits], { transB: 1, alpha: { float: scale } })
      const probabilities = outputs[2] || onnx.temporary()
      const { top, logSum } = softmaxParts(onnx, logits, probabilities)
      if (outputs[0]) {
        const chosen = rowwise(onnx, 'ReduceSum', rowProduct(onnx, hidden, head, targets))
        const scaled = scale === 1 ? chosen : combine(onnx, 'Mul', chosen, floatScalar(onnx, scale))
        // In this order the small difference comes first, and only one rounding is as coarse as the result.
        onnx.node('Sub', [combine(onnx, 'Sub', scaled, top), logSum], [outputs[0]])
      }
      if (outputs[1]) onnx.node('Add', [top, logSum], [outputs[1]])
    },
    tfjs: (tf, [hidden, head, targets], { scale }) => {
      const logits = tf.mul(tf.matMul(hidden!, head!, false, true), scale)
      const top = tf.max(logits, 1, true)
      const powers = tf.exp(tf.sub(logits, top))
      const sum = tf.sum(powers, 1, true)
      const probabilities = tf.div(powers, sum)
      const total = tf.reshape(tf.add(top, tf.log(sum)), [hidden!.shape[0]!])
      const chosen = tf.mul(tf.sum(tf.mul(hidden!, tf.gather(head!, targets!)), 1), scale)
      return [tf.sub(chosen, total), total, probabilities]
    },
    flops: ([hidden, head]) => 2 * hidden!.shape[0]! * sizeOf(head!.shape),
    vjp: (ops, { inputs, outputs, attributes: { scale }, dy, wanted }) => {
      const [hidden, head, targets] = inputs as readonly [Tensor, Tensor, Tensor] // `infer` took three
      const probabilities = outputs[2]!
      const weight = ops.reshape(ops.mul(dy, ops.constant(scale)), [hidden.shape[0]!, 1])
      const gemm = (a: Tensor, b: Tensor, transposeA: boolean) =>
        ops.apply('Gemm', [a, b], { transposeA, transposeB: false })[0]!
      const weighted = ops.mul(hidden, weight)
      const dHidden = () => ops.mul(ops.sub(ops.gatherRows(head, targets), gemm(probabilities, head, false)), weight)
      // Chosen rows are added onto the rest in place: [V, D] may be most of the model.
      const dHead = () =>
        ops.apply('ScatterAddRows', [weighted, targets, gemm(probabilities, ops.neg(weighted), true)], {
          rows: head.shape[0]!,
        })[0]!
      return [wanted[0] ? dHidden() : undefined, wanted[1] ? dHead() : undefined, undefined]
    },
    reference: ([hidden, head, targets], { scale }) => {
      const logits = matmulOps.MatMul.reference([hidden!, head!], { transposeA: false, transposeB: true, scale })[0]!
      const probabilities = denseSoftmax(logits)
      const [rows, width] = logits.shape as readonly [number, number] // a product of matrices
      const [logprobs, logSums] = [denseZeros([rows]), denseZeros([rows])]
      for (let row = 0; row < rows; row++) {
        const own = [...logits.data.subarray(row * width, (row + 1) * width)].map(Number)
        const top = own.reduce((a, b) => Math.max(a, b))
        const logSum = top + Math.log(own.reduce((sum, logit) => sum + Math.exp(logit - top), 0))
        logSums.data[row] = logSum
        logprobs.data[row] = own[Number(targets!.data[row])]! - logSum
      }
      return [logprobs, logSums, probabilities]
    },
  }),
} satisfies Record<string, OpDefinition<never>>

/**
 * Writes the probabilities and answers the largest logit of each row and log Σ exp(logit − largest), both [N]. ONNX
 * Runtime's own Softmax sums less exactly over a large vocabulary, and the sum would have to be recovered from its
 * largest entry.
 */
function softmaxParts(onnx: OnnxScope, logits: string, probabilities: string): { top: string; logSum: string } {
  const [powers, log] = [onnx.temporary(), onnx.temporary()]
  const top = rowwise(onnx, 'ReduceMax', logits, 1)
  onnx.node('Exp', [combine(onnx, 'Sub', logits, top)], [powers])
  const sum = rowwise(onnx, 'ReduceSum', powers, 1)
  onnx.node('Div', [powers, sum], [probabilities])
  onnx.node('Log', [sum], [log])
  return { top: vector(onnx, top), logSum: vector(onnx, log) }
}

/** Drops the last axis of a column. */
function vector(onnx: OnnxScope, column: string): string {
  const name = onnx.temporary()
  onnx.node('Squeeze', [column, int64Vector(onnx, [1])], [name])
  return name
}

function rowProduct(onnx: OnnxScope, hidden: string, head: string, targets: string): string {
  const rows = onnx.temporary()
  onnx.node('Gather', [head, targets], [rows], { axis: 0 })
  return combine(onnx, 'Mul', hidden, rows)
}

function rowwise(onnx: OnnxScope, type: 'ReduceSum' | 'ReduceMax', x: string, keepdims: 0 | 1 = 0): string {
  const name = onnx.temporary()
  onnx.node(type, [x, int64Vector(onnx, [-1])], [name], { keepdims })
  return name
}

function combine(onnx: OnnxScope, type: 'Add' | 'Sub' | 'Mul', a: string, b: string): string {
  const name = onnx.temporary()
  onnx.node(type, [a, b], [name])
  return name
}

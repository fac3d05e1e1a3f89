import { defineErrors } from '@qoq-med/errors'

const shapeText = (shape: readonly number[]): string => `[${shape.join(', ')}]`

/** What can go wrong in `tensor`. */
export const tensorErrors = defineErrors('TENSOR', {
  SHAPE: {
    message: (p: { op: string; reason: string }) => `The operation ${p.op} cannot be applied: ${p.reason}.`,
    hint: () => 'Check the shapes that are passed to the layer; shapes are static and broadcast as in NumPy.',
  },
  UNKNOWN_OP: {
    message: (p: { op: string }) => `There is no operation ${p.op}.`,
    hint: () => 'Use a method of Ops; operations are the rows of src/ops/table.ts.',
  },
  NO_GRADIENT: {
    message: (p: { op: string }) => `The operation ${p.op} has no gradient rule, but a gradient must flow through it.`,
    hint: () => 'Keep the operation out of the path from parameters to the loss, or add its vjp.',
  },
  NAME_TAKEN: {
    message: (p: { kind: string; name: string }) => `The graph already has an ${p.kind} named "${p.name}".`,
    hint: () => 'Give every input and every output of a graph its own name.',
  },
  NOT_SCALAR: {
    message: (p: { shape: readonly number[] }) =>
      `A loss must be a scalar, but it has the shape ${shapeText(p.shape)}.`,
    hint: () => 'Reduce the loss with ops.sum or ops.mean over all axes first.',
  },
  MODEL_TOO_LARGE: {
    message: (p: { bytes: number; limitBytes: number }) =>
      `The model has ${p.bytes} bytes of constants, but ONNX files end at ${p.limitBytes} bytes.`,
    hint: () => 'Keep large constants beside the model, as external data.',
  },
  RUNTIME_MISSING: {
    message: (p: { name: string; reason: string; install: string }) =>
      `The package ${p.name} cannot be loaded: ${p.reason}`,
    hint: p => `Install it beside this package: npm install ${p.install}.`,
  },
  DEVICE_MISSING: {
    message: (p: { device: string; reason: string; remedy: string }) =>
      `ONNX Runtime cannot compute on the device "${p.device}" here: ${p.reason}`,
    hint: p => `${p.remedy} Or leave \`device\` out to compute on the CPU.`,
  },
  RUNTIME_FAILED: {
    message: (p: { runtime?: string; action: string; node?: string | undefined; reason: string }) =>
      `${p.runtime ?? 'ONNX Runtime'} failed to ${p.action}${p.node === undefined ? '' : ` at the node ${p.node}`}: ${p.reason}`,
    hint: () =>
      "The reason is the runtime's own. A node is named after its first output; check the operation that writes that value.",
  },
  CLOSED: {
    message: (p: { what: string }) => `The ${p.what} is closed.`,
    hint: () => 'Close an executor or a program only after its last run.',
  },
  FEED: {
    message: (p: { name: string; expected: string; found: string }) =>
      `The value "${p.name}" does not fit the program: expected ${p.expected}, found ${p.found}.`,
    hint: () => 'Compare it with program.inputs and program.outputs, which list names, element types and shapes.',
  },
  STORE_TOO_LARGE: {
    message: (p: { bytes: number; limitBytes: number; parameters: number }) =>
      `${p.parameters} parameters need ${p.bytes} bytes with gradients and moments, more than the ${p.limitBytes} of one arena.`,
    hint: () =>
      'Freeze parameters with `trainable` (a frozen one needs a quarter of the memory) or train a smaller model.',
  },
  UNKNOWN_PARAMETER: {
    message: (p: { what: string; name: string; nearest?: string | undefined }) =>
      `There is no ${p.what} ${p.name}${p.nearest === undefined ? '.' : `; is ${p.nearest} meant?`}`,
    hint: () => 'List the names with store.parameters; a frozen parameter has weights, but no gradient and no moments.',
  },
  NOT_FINITE: {
    message: (p: { what: string; parameter: string; index: number; value: number }) =>
      `The ${p.what} of ${p.parameter} is ${p.value} at element ${p.index}.`,
    hint: () => 'Look at the inputs of this step, lower the learning rate, or skip the step.',
  },
  VALUE_NOT_FINITE: {
    message: (p: {
      op: string
      output: string
      shape: readonly number[]
      index: readonly number[]
      value: number
      operands: readonly string[]
      after?: string | undefined
    }) =>
      `The operation ${p.op} is the first to make a value that is not finite: ${p.value} at ${shapeText(p.index)} of ${p.output} ${shapeText(p.shape)}, from ${p.operands.join('; ') || 'no operand'}${p.after === undefined ? '.' : `. It comes after the one that reads ${p.after}.`}`,
    hint: () =>
      'An operand that is not finite was fed so: look at the weights after the last update, or at the batch. Otherwise the ranges of the operands show what overflows.',
  },
  OPTIMIZER_STATE: {
    message: (p: { reason: string }) => `The optimizer state does not fit the parameters: ${p.reason}.`,
    hint: () => 'Load a state that was saved for the same parameter names, shapes and trainable set.',
  },
})

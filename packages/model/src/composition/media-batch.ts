import type {
  BatchRounding,
  Encoder,
  EncoderBatch,
  HostTensor,
  Layers,
  PixelPatches,
  PreparedEcg,
} from '@qoq-med/encoders'
import type { Ops } from '@qoq-med/tensor'
import type { Encoded } from '../prompt/encoded.ts'

/** The encoders of a model; a model for text has none. */
export interface PolicyEncoders {
  readonly vision?: Pick<Encoder<never, PixelPatches>, 'batch' | 'tokens'> | undefined
  readonly ecg?: Pick<Encoder<never, PreparedEcg>, 'batch' | 'tokens'> | undefined
}

/** All media of a batch of prompts, encoded once each. */
export interface MediaBatch {
  /** Equal keys have equal graphs. Empty when there are no media. */
  readonly key: string
  readonly inputs: Readonly<Record<string, HostTensor>>
  /** Rows of the result: the vision tokens with their padding, then the ECG tokens with theirs. */
  readonly rows: number
  /** The first row of a prompt's vision tokens and of its ECG tokens. */
  firstRows(prompt: Encoded): { readonly vision: number; readonly ecg: number }
  /** Answers [rows, hiddenSize], or undefined when there are no media. */
  forward<T>(ops: Ops<T>, layers: Layers<T>, inputs: (name: string) => T): T | undefined
}

/**
 * Collects the media of prompts. Prompts that are the same object (the rollouts of a question) share theirs, so a picture
 * is encoded once for its whole group.
 *
 * @param rounding how their counts are padded; default: as the encoders were made
 */
export function mediaBatch(
  encoders: PolicyEncoders,
  prompts: readonly Encoded[],
  rounding?: BatchRounding,
): MediaBatch {
  const unique = [...new Set(prompts)]
  const vision = collect(unique, encoders.vision, prompt => prompt.vision, rounding)
  const ecg = collect(unique, encoders.ecg, prompt => prompt.ecgs, rounding)
  const parts = [
    { name: 'vision', batch: vision.batch },
    { name: 'ecg', batch: ecg.batch },
  ].filter((part): part is { name: string; batch: EncoderBatch } => part.batch !== undefined)
  const visionRows = vision.batch?.rows ?? 0
  return {
    key: parts.map(({ name, batch }) => `${name}(${batch.key})`).join(' '),
    inputs: Object.fromEntries(
      parts.flatMap(({ name, batch }) =>
        Object.entries(batch.inputs).map(([input, tensor]) => [`${name}.${input}`, tensor] as const),
      ),
    ),
    rows: visionRows + (ecg.batch?.rows ?? 0),
    firstRows: prompt => ({
      vision: vision.firstRow.get(prompt) ?? 0,
      ecg: visionRows + (ecg.firstRow.get(prompt) ?? 0),
    }),
    forward: (ops, layers, inputs) => {
      const tokens = parts.map(({ name, batch }) => batch.forward(ops, layers, input => inputs(`${name}.${input}`)))
      return tokens.length === 0 ? undefined : ops.concat(tokens, 0)
    },
  }
}

function collect<Item>(
  prompts: readonly Encoded[],
  encoder: Pick<Encoder<never, Item>, 'batch' | 'tokens'> | undefined,
  itemsOf: (prompt: Encoded) => readonly Item[],
  rounding: BatchRounding | undefined,
): { batch: EncoderBatch | undefined; firstRow: ReadonlyMap<Encoded, number> } {
  const items: Item[] = []
  const firstRow = new Map<Encoded, number>()
  let row = 0
  for (const prompt of prompts) {
    firstRow.set(prompt, row)
    for (const item of itemsOf(prompt)) {
      items.push(item)
      row += encoder?.tokens(item) ?? 0
    }
  }
  return { batch: encoder && items.length > 0 ? encoder.batch(items, rounding) : undefined, firstRow }
}

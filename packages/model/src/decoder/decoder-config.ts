import { schemaProblem } from '@qoq-med/errors'
import { z } from 'zod'
import type { Architecture } from './architecture.ts'
import { modelErrors } from '../errors.ts'

/** Sizes of the decoder, from the checkpoint's config.json. */
export interface DecoderConfig {
  readonly hiddenSize: number
  readonly intermediateSize: number
  readonly numLayers: number
  readonly numHeads: number
  readonly numKvHeads: number
  readonly headDim: number
  readonly vocabSize: number
  readonly rmsNormEpsilon: number
  readonly ropeTheta: number
  /** How many rotary pairs turn with time, height and width (M-RoPE); their sum is headDim / 2. Absent: plain positions. */
  readonly mropeSection?: readonly [number, number, number]
  readonly tieWordEmbeddings: boolean
  /** Whether the query, key and value projections have a bias (Qwen2: yes, Llama: no). */
  readonly attentionBias: boolean
  /** The longest sequence the model was made for, in tokens. */
  readonly maxPositions: number
  /** Standard deviation of the random weights. */
  readonly initializerRange: number
}

const count = z.int().positive().max(1_000_000)
const RopeOptions = z.looseObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: z.number().positive().optional(),
  mrope_section: z.array(z.int().nonnegative()).length(3).optional(),
})

const DecoderJson = z.looseObject({
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: count.max(1024),
  num_attention_heads: count,
  num_key_value_heads: count.optional(),
  head_dim: count.nullish(),
  vocab_size: count.max(10_000_000),
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_theta: z.number().positive().optional(),
  rope_scaling: RopeOptions.nullish(),
  rope_parameters: RopeOptions.nullish(),
  tie_word_embeddings: z.boolean().optional(),
  attention_bias: z.boolean().optional(),
  max_position_embeddings: z.int().positive().default(32768),
  initializer_range: z.number().positive().default(0.02),
  hidden_act: z.string().default('silu'),
  use_sliding_window: z.boolean().default(false),
})

/**
 * Reads the decoder's sizes from the text part of a config.json: the top level (flat Hub style) or `text_config` (nested
 * style of transformers 5).
 *
 * @param tie tie_word_embeddings of the top level, where the text part does not say
 * @throws MODEL_CONFIG_INVALID, MODEL_CONFIG_UNSUPPORTED
 */
export function decoderConfig(
  json: unknown,
  file: string,
  architecture: Pick<Architecture, 'attentionBias'>,
  tie = false,
): DecoderConfig {
  const text = parseConfig(DecoderJson, json, file)
  requireSupported(text, file)
  const rope = text.rope_parameters ?? text.rope_scaling
  const headDim = text.head_dim ?? text.hidden_size / text.num_attention_heads
  const section = rope?.mrope_section as [number, number, number] | undefined // length 3 by the schema
  const config: DecoderConfig = {
    hiddenSize: text.hidden_size,
    intermediateSize: text.intermediate_size,
    numLayers: text.num_hidden_layers,
    numHeads: text.num_attention_heads,
    numKvHeads: text.num_key_value_heads ?? text.num_attention_heads,
    headDim,
    vocabSize: text.vocab_size,
    rmsNormEpsilon: text.rms_norm_eps,
    ropeTheta: rope?.rope_theta ?? text.rope_theta ?? 10_000,
    ...(section ? { mropeSection: section } : {}),
    tieWordEmbeddings: text.tie_word_embeddings ?? tie,
    attentionBias: architecture.attentionBias(text.attention_bias),
    maxPositions: text.max_position_embeddings,
    initializerRange: text.initializer_range,
  }
  checkSizes(config, file)
  return config
}

/** Parses part of a config.json; the error names the first wrong field. @throws MODEL_CONFIG_INVALID */
export function parseConfig<Schema extends z.ZodType>(schema: Schema, json: unknown, file: string): z.output<Schema> {
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]! // a failed parse has at least one
  const field = issue.path.join('.') || 'the top level'
  throw modelErrors.CONFIG_INVALID({ file, field, problem: schemaProblem(issue) })
}

function requireSupported(text: z.output<typeof DecoderJson>, file: string): void {
  const rope = text.rope_parameters ?? text.rope_scaling
  const ropeType = rope?.rope_type ?? rope?.type ?? 'default'
  const fail = (field: string, value: string, supported: string): Error =>
    modelErrors.CONFIG_UNSUPPORTED({ file, field, value, supported })
  if (text.hidden_act !== 'silu') throw fail('hidden_act', text.hidden_act, 'silu')
  if (text.use_sliding_window) throw fail('use_sliding_window', 'true', 'full attention')
  if (ropeType !== 'default' && ropeType !== 'mrope') throw fail('rope_scaling.type', ropeType, 'default and mrope')
}

function checkSizes(config: DecoderConfig, file: string): void {
  const { numHeads, numKvHeads, headDim, mropeSection } = config
  const fail = (field: string, problem: string): Error => modelErrors.CONFIG_INVALID({ file, field, problem })
  if (!Number.isInteger(headDim / 2)) throw fail('head_dim', `is ${headDim}; it must be an even whole number`)
  if (numHeads % numKvHeads !== 0) {
    throw fail('num_key_value_heads', `is ${numKvHeads}; it must divide num_attention_heads (${numHeads})`)
  }
  const pairs = mropeSection?.reduce((sum, part) => sum + part, 0)
  if (pairs !== undefined && pairs !== headDim / 2) {
    throw fail('mrope_section', `sums to ${pairs}; it must sum to half the head dimension (${headDim / 2})`)
  }
}

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createVisionEncoder, defaultImageProcessor, readVisionConfig } from '@qoq-med/encoders'
import {
  modelConfig,
  mropePositions,
  openSafetensors,
  type Encoded,
  type ScoredSequence,
  type SafetensorsFile,
} from '@qoq-med/model'
import { createParameterStore, type Executor } from '@qoq-med/tensor'
import type { AnswerModel } from '../src/learn/answer-model.ts'
import { createLearner, type Learner, type LearnerOptions } from '../src/learn/learner.ts'
import { policyObjective, type PolicyItem } from '../src/learn/policy-objective.ts'
import { tokenWeights, type PolicyLossGraphOptions } from '../src/learn/policy-loss.ts'
import { oracleFile } from './oracle-folder.ts'

/** The two objectives of grads/. */
export const objectives = {
  paper: { clipRatioLow: 0.2, clipRatioHigh: 0.2, klCoefficient: 0.04 },
  repo: { clipRatioLow: 0.2, clipRatioHigh: 0.3, dualClip: 3, klCoefficient: 0.04 },
} as const satisfies Record<string, PolicyLossGraphOptions>

/** A batch of grads/ as sequences without padding, and what the loss reads of each. */
export interface OracleBatch {
  readonly model: AnswerModel
  readonly sequences: readonly ScoredSequence[]
  readonly targets: readonly Omit<PolicyItem, 'tokenWeight' | 'prompt' | 'completion'>[]
}

/** A model of the oracles ready to train, and its batch. */
export interface OracleCase {
  readonly learner: Learner
  readonly batch: OracleBatch
}

const entry = (file: SafetensorsFile, name: string) => file.entries.find(each => each.name === name)!
const int32 = (file: SafetensorsFile, name: string): Promise<Int32Array> => file.readInt32(entry(file, name))
/** Reads a tensor of an open file as floats. */
export const float32 = (file: SafetensorsFile, name: string): Promise<Float32Array> =>
  file.readFloat32(entry(file, name))
const opened: SafetensorsFile[] = []
/** Copies of the small case, which are there without ../shared. */
const fixtures: Readonly<Record<string, string>> = {
  'models/qwen2_text_tied/config.json': 'config.json',
  'models/qwen2_text_tied/model.safetensors': 'model.safetensors',
  'grads/text_tied_batch.safetensors': 'batch.safetensors',
  'grads/text_tied_grads_paper.safetensors': 'grads_paper.safetensors',
  'grads/text_tied_weights_after_3.safetensors': 'weights_after_3.safetensors',
}
const located = (path: string): string => {
  const copy = fixtures[path]
  return copy === undefined ? oracleFile(path) : resolve(import.meta.dirname, '../fixtures/text-tied', copy)
}
/** Opens a file of the oracles, or its copy in fixtures/; `closeOracleFiles` closes it. */
export const open = async (path: string): Promise<SafetensorsFile> => {
  const file = await openSafetensors(located(path))
  opened.push(file)
  return file
}

/** Closes every file that was opened. */
export async function closeOracleFiles(): Promise<void> {
  await Promise.all(opened.splice(0).map(file => file.close()))
}

async function readBatch(
  file: SafetensorsFile,
  model: AnswerModel,
  encode: (tokenIds: Int32Array) => Encoded,
): Promise<OracleBatch> {
  const [ids, mask, responseMask] = await Promise.all(
    ['input_ids', 'attention_mask', 'response_mask'].map(name => int32(file, name)),
  )
  const [batch, length] = entry(file, 'input_ids').shape as [number, number]
  const width = entry(file, 'response_ids').shape[1]!
  const [oldLogprobs, refLogprobs, advantages] = await Promise.all(
    ['old_log_probs', 'ref_log_probs', 'advantages'].map(name => float32(file, name)),
  )
  const rows = Array.from({ length: batch }, (_, row) => {
    const prompt = ids!
      .subarray(row * length, (row + 1) * length - width)
      .filter((_id, i) => mask![row * length + i] === 1)
    const count = responseMask!.subarray(row * width, (row + 1) * width).reduce((sum, one) => sum + one, 0)
    const completion = ids!.slice((row + 1) * length - width, (row + 1) * length - width + count)
    const tokens = (values: Float32Array): Float32Array => values.slice(row * width, row * width + count)
    const target = {
      oldLogprobs: tokens(oldLogprobs!),
      refLogprobs: tokens(refLogprobs!),
      advantage: advantages![row]!,
    }
    return { sequence: { prompt: encode(prompt), completion }, target }
  })
  return { model, sequences: rows.map(row => row.sequence), targets: rows.map(row => row.target) }
}

function encodeText(tokenIds: Int32Array): Encoded {
  return {
    tokenIds,
    positionIds: Int32Array.from(tokenIds, (_, i) => i),
    ropeDelta: 0,
    visionPositions: new Int32Array(),
    ecgPositions: new Int32Array(),
    vision: [],
    ecgs: [],
  }
}

/** The text model with tied embeddings; its files are also in fixtures/. */
export async function textCase(executor: Executor, options?: Partial<LearnerOptions>): Promise<OracleCase> {
  const config = modelConfig(JSON.parse(await readFile(located('models/qwen2_text_tied/config.json'), 'utf8')))
  const model = { decoder: config.decoder, encoders: {} }
  return {
    batch: await readBatch(await open('grads/text_tied_batch.safetensors'), model, encodeText),
    learner: await learnerOf(executor, 'models/qwen2_text_tied/model.safetensors', options),
  }
}

/** The vision-language model, of which half of the batch shows a picture. */
export async function visionCase(executor: Executor, options?: Partial<LearnerOptions>): Promise<OracleCase> {
  const json = JSON.parse(await readFile(oracleFile('models/qwen25vl_tiny/config.json'), 'utf8'))
  const config = modelConfig(json)
  const file = await open('grads/vl_batch.safetensors')
  const pixelValues = await float32(file, 'pixel_values_one_image')
  const gridThw = [1, 6, 10] as const
  const encode = (tokenIds: Int32Array): Encoded => {
    const isImage = tokenIds.map(id => (id === config.tokenIds.image ? 1 : 0))
    const visionPositions = Int32Array.from([...isImage.keys()].filter(i => isImage[i] === 1))
    const hasImage = visionPositions.length > 0
    return {
      tokenIds,
      ...mropePositions(isImage, { imageGrids: hasImage ? [gridThw] : [] }),
      visionPositions,
      ecgPositions: new Int32Array(),
      vision: hasImage ? [{ gridThw, pixelValues }] : [],
      ecgs: [],
    }
  }
  const vision = createVisionEncoder({
    config: readVisionConfig(json.vision_config),
    processor: defaultImageProcessor,
  })
  const model: AnswerModel = { decoder: config.decoder, encoders: { vision } }
  return {
    batch: await readBatch(file, model, encode),
    learner: await learnerOf(executor, 'models/qwen25vl_tiny/model.safetensors', options),
  }
}

async function learnerOf(
  executor: Executor,
  checkpoint: string,
  options: Partial<LearnerOptions> = {},
): Promise<Learner> {
  const file = await open(checkpoint)
  const store = createParameterStore(file.entries.map(({ name, shape }) => ({ name, shape })))
  for (const { name } of store.parameters) store.weights(name).set(await float32(file, name))
  return createLearner(executor, store, { weightDecay: 0.01, maxGradientNorm: 1, ...options })
}

/** Accumulates the loss of a batch in microbatches. */
export async function accumulate(
  learner: Learner,
  { model, sequences, targets }: OracleBatch,
  options: PolicyLossGraphOptions,
  microbatchSize = 2,
): Promise<number> {
  const aggregation = options.dualClip === undefined ? 'sequence-mean-token-mean' : 'token-mean'
  const weights = tokenWeights(
    sequences.map(({ completion }) => completion.length),
    aggregation,
    9,
  )
  const items = targets.map((target, i) => ({ ...sequences[i]!, ...target, tokenWeight: weights[i]! }))
  const objective = policyObjective(model, options)
  let loss = 0
  for (let start = 0; start < sequences.length; start += microbatchSize) {
    loss += (await learner.accumulate(objective, items.slice(start, start + microbatchSize))).loss
  }
  return loss
}

/** Largest relative L2 error of any tensor, and its name. */
export async function worstGradient(learner: Learner, path: string): Promise<{ error: number; name: string }> {
  const file = await open(path)
  let worst = { error: 0, name: '' }
  for (const { name } of learner.store.parameters) {
    const [got, want] = [learner.store.gradient(name), await float32(file, name)]
    let [difference, norm] = [0, 0]
    want.forEach((value, i) => {
      difference += (got[i]! - value) ** 2
      norm += value ** 2
    })
    const error = Math.sqrt(difference / norm)
    if (!(error <= worst.error)) worst = { error, name }
  }
  return worst
}

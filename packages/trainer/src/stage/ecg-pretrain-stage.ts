import {
  blockPatchMask,
  ecgPredictorFor,
  randomPatchMask,
  targetMomentum,
  updateTargetEncoder,
  type EcgPretrainingConfig,
  type PatchMask,
  type PreparedEcg,
} from '@qoq-med/encoders'
import type { Sample, SampleSelection } from '@qoq-med/data-climb'
import { counterStream, loadModel, type Encoded, type PolicyModel } from '@qoq-med/model'
import { isMatrix } from '@qoq-med/tensor'
import { join } from 'node:path'
import { chunks } from '../chunks.ts'
import { mixSeed } from '../config/mix-seed.ts'
import type { EcgPretrainStage } from '../config/run-config.ts'
import { stageSchedule } from '../config/stage-schedule.ts'
import { trainerErrors } from '../errors.ts'
import { createEcgJepaStore, ecgJepaObjective } from '../learn/ecg-jepa-objective.ts'
import { createLearner, type Learner } from '../learn/learner.ts'
import { loadOptimizer, loadStore, type Checkpoint } from '../run/checkpoint.ts'
import { naming, requireFinite } from '../run/at-step.ts'
import type { Run } from '../run/run.ts'
import type { RunPosition } from '../run/run-position.ts'
import type { StageWeights, WeightLookup } from '../run/trained-weights.ts'
import { stepSamples } from '../run/step-samples.ts'
import { stageSamples, validationSamples } from '../run/training-data.ts'
import type { StageKind, StageStart, StageWork, StepOutcome, ValidationOutcome } from './stage-kind.ts'
import { ecgNeeds } from './stage-needs.ts'
import { validationDraw } from './validation-draw.ts'

/**
 * Trains the policy's ECG encoder on ECGs alone, without answers: ECG-JEPA's self-supervision. What it makes is the
 * model with that encoder; every other weight stays.
 */
export const ecgPretrainKind: StageKind<EcgPretrainStage> = {
  check: (_stage, model, field) => {
    if (model.config.ecg !== undefined) return
    throw trainerErrors.CONFIG_FIELD({ field: `${field}.algorithm`, reason: 'the model has no ECG encoder' })
  },
  needs: ecgNeeds,
  start: startPretraining,
}

/** The encoder of the policy has this before its names, the one in pre-training `encoder.`. */
const policyPrefix = 'time_series_embedding.encoder.'

/** What the steps of pre-training work with. */
interface PretrainParts extends StageStart<EcgPretrainStage> {
  readonly sizes: EcgPretrainingConfig
  readonly learner: Learner
  readonly samples: SampleSelection
}

async function startPretraining(run: Run, start: StageStart<EcgPretrainStage>): Promise<StageWork> {
  const { config, model, executor, debug } = run
  const { stage, stageIndex, before, resumed } = start
  const { encoder } = model.config.ecg! // checked before the run
  const sizes = { encoder, predictor: ecgPredictorFor(encoder) }
  const store = createEcgJepaStore(sizes, counterStream(mixSeed(config.seed, stageIndex), 0), encoderOf(model, before))
  const { weightDecay, maxGradientNorm } = stage
  const options = { weightDecay, decays: isMatrix, maxGradientNorm, memory: config.memory, debug }
  const learner = createLearner(executor, store, options)
  if (resumed) {
    await loadStore(resumed, store)
    learner.restoreOptimizer(await loadOptimizer(resumed))
  }
  const parts: PretrainParts = { ...start, sizes, learner, samples: stageSamples(stage, run.data, run.config) }
  const weights: WeightLookup = name =>
    name.startsWith(policyPrefix) ? store.weights(name.replace(policyPrefix, 'encoder.')) : before(name)
  return {
    trained: { store, weights },
    step: position => pretrainStep(run, parts, position),
    skip: position => {
      store.zeroGradients()
      return { ...position, step: position.step + 1 }
    },
    validate: () => validatePretraining(run, parts),
    content: () => ({ optimizer: learner.optimizerState(), keepsStore: true }),
    weightsAt,
    close: () => learner.close(),
  }
}

/** The policy's encoder under the names of pre-training. */
function encoderOf({ parameters }: PolicyModel, weights: WeightLookup): Map<string, Float32Array> {
  const own = parameters.filter(({ name }) => name.startsWith(policyPrefix))
  return new Map(own.map(({ name }) => [name.replace(policyPrefix, 'encoder.'), weights(name)]))
}

async function weightsAt({ folder }: Checkpoint): Promise<StageWeights> {
  const { store } = await loadModel(join(folder, 'model'), { trainable: () => false })
  return { store, weights: name => store.weights(name) }
}

async function pretrainStep(run: Run, parts: PretrainParts, position: RunPosition): Promise<StepOutcome> {
  const { stage, stageIndex, sizes, learner, samples } = parts
  const step = position.step + 1
  const from = position.step * stage.batchSize
  const prepared = await stepSamples(run, samples, { stageIndex, from, count: stage.batchSize }, ecgOf)
  const mask = drawMask(parts, counterStream(mixSeed(run.config.seed, stageIndex), step))
  const ecgs = ecgsOf(stage, prepared)
  const objective = ecgJepaObjective(sizes, { mask, ecgs: ecgs.length })
  let loss = 0
  for (const part of chunks(ecgs, stage.microbatchSize ?? ecgs.length))
    loss += await learner.accumulate(objective, part)
  const ids = prepared.map(({ sample }) => sample.id)
  requireFinite('loss', loss, ids)
  const update = await naming(ids, () => learner.update(stageSchedule(stage)(step)))
  const momentum = targetMomentum(position.step, stage.steps)
  updateTargetEncoder(sizes.encoder, name => learner.store.weights(name), momentum)
  return {
    position: { ...position, step },
    metrics: { loss, maskedPatches: mask.masked.length, ...update },
    progress: { loss },
  }
}

/** Measures the loss on ECGs that do not train, under a mask that is the same every time. */
async function validatePretraining(run: Run, parts: PretrainParts): Promise<ValidationOutcome> {
  const { stage, stageIndex, sizes, learner } = parts
  const { config, data, leftOut, prepare } = run
  const chosen = await validationDraw(validationSamples(stage, data), stage.validate!, config.seed)
  const ecgs = ecgsOf(stage, await leftOut.allUsable(chosen, async sample => ecgOf(await prepare(sample))))
  const mask = drawMask(parts, counterStream(mixSeed(config.seed, stageIndex), 0))
  const objective = ecgJepaObjective(sizes, { mask, ecgs: ecgs.length })
  let loss = 0
  for (const part of chunks(ecgs, stage.microbatchSize ?? stage.batchSize))
    loss += await learner.evaluate(objective, part)
  return { score: -loss, metrics: { validationLoss: loss, samples: ecgs.length }, progress: { loss } }
}

function drawMask({ stage, sizes }: PretrainParts, random: () => number): PatchMask {
  const draw = { random: randomPatchMask, block: blockPatchMask }[stage.mask]
  return draw(sizes.encoder.numPatches, stage.maskScale, random)
}

/** The recordings of a sample: all that pre-training keeps of it. */
interface EcgSample {
  readonly sample: Sample
  readonly ecgs: readonly PreparedEcg[]
}

function ecgOf({ sample, prompt }: { readonly sample: Sample; readonly prompt: Encoded }): EcgSample {
  return { sample, ecgs: prompt.ecgs }
}

/** The ECGs of samples. @throws TRAINER_NO_SAMPLES when there is none */
function ecgsOf({ name }: EcgPretrainStage, prepared: readonly EcgSample[]): PreparedEcg[] {
  const ecgs = prepared.flatMap(one => one.ecgs)
  if (ecgs.length === 0) throw trainerErrors.NO_SAMPLES({ stage: name, filter: ' with an ECG' })
  return ecgs
}

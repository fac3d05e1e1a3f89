import { compileGraph, createExecutor, Graph, graphOps } from '@qoq-med/tensor'
import type { TrainConfig } from '../config/run-config.ts'
import { LeftOutSamples } from '../run/left-out-samples.ts'
import { createSamplePreparer, type PreparedSample } from '../run/prepared-sample.ts'
import { workingReward } from '../run/run-reward.ts'
import { withKnownSteps } from '../run/known-steps.ts'
import { mean } from '../means.ts'
import { checkSamples, checkStages } from '../stage/check-stages.ts'
import { parameterCount, type StageSizes } from '../stage/stage-needs.ts'
import { requireRunMemory } from './require-memory.ts'
import { planStage, type StagePlan } from './stage-plan.ts'
import { describeModel } from '../run/start-model.ts'
import { loadTrainingData, stageSamples } from '../run/training-data.ts'

/** What a run will take; nothing has been written or trained. */
export interface RunPlan extends Pick<StageSizes, 'promptTokens' | 'referenceTokens'> {
  readonly config: TrainConfig
  readonly samples: number
  /** Rows of the data that are left out, by dataset. */
  readonly skipped: Readonly<Record<string, number>>
  readonly parameters: number
  readonly vocabulary: number
  readonly stages: readonly StagePlan[]
  /** Largest of the stages. */
  readonly memoryBytes: number
  /** Sum of the stages. */
  readonly seconds: number
  /** Multiplications and additions of matrices per second that the estimate rests on, measured. */
  readonly flops: number
}

/** Options of `planRun`. */
export interface PlanOptions {
  /** What relative paths of the configuration are relative to. Default: the working directory. */
  readonly baseFolder?: string
  /** Bytes that the run may take. Default: what the system has free. */
  readonly availableBytes?: number
}

/** Samples whose prompts are measured. */
const measuredSamples = 16

/**
 * Says what a run will take without training or writing anything: the data are opened, some prompts encoded, and a matrix
 * product is timed.
 *
 * @throws TRAINER_MEMORY_SHORT with the nearest configuration that fits, and as `train`, for everything that can be known before
 *   the first step
 */
export async function planRun(
  given: TrainConfig,
  { baseFolder = '.', availableBytes = process.availableMemory() }: PlanOptions = {},
): Promise<RunPlan> {
  const data = await loadTrainingData(given, baseFolder)
  const config = withKnownSteps(given, data)
  checkSamples(config, data)
  const model = await describeModel(config, data.samples, baseFolder)
  checkStages(config, model)
  const prepare = createSamplePreparer(model, config.data)
  const places = data.samples.draws(0, Math.min(measuredSamples, data.samples.length), config.seed)
  const leftOut = new LeftOutSamples(config, { total: data.all.length, skippable: data.skippable })
  const looked = await Promise.all(places.map(place => leftOut.firstUsable(data.samples, place, prepare)))
  await workingReward(config, { data, model, baseFolder })
  const flops = await measureFlops(config)
  const lengths = tokenCounts(looked)
  const plan = ({ stages: planned, memory, model: { weights } }: TrainConfig): StagePlan[] =>
    planned.map(stage => {
      const { length: samples } = stageSamples(stage, data, config)
      return planStage(stage, model, { samples, flops, memory, weights, ...lengths })
    })
  const stages = plan(config)
  requireRunMemory(config, plan, availableBytes)
  return {
    config,
    samples: data.samples.length,
    skipped: data.skipped,
    parameters: parameterCount(model, () => true),
    vocabulary: model.config.decoder.vocabSize,
    ...lengths,
    stages,
    memoryBytes: Math.max(...stages.map(({ memoryBytes }) => memoryBytes)),
    seconds: stages.reduce((sum, { seconds }) => sum + seconds, 0),
    flops,
  }
}

function tokenCounts(looked: readonly PreparedSample[]): Pick<RunPlan, 'promptTokens' | 'referenceTokens'> {
  return {
    promptTokens: meanAndLargest(looked.map(({ prompt }) => prompt.tokenIds.length)),
    referenceTokens: meanAndLargest(looked.map(({ reference }) => reference.length)),
  }
}

function meanAndLargest(values: readonly number[]): StageSizes['promptTokens'] {
  return { mean: mean(values), largest: Math.max(...values) }
}

/** Times a matrix product on the engine. */
async function measureFlops({ device, threads }: Pick<TrainConfig, 'device' | 'threads'>): Promise<number> {
  const side = 512
  const executor = await createExecutor({ device, threads })
  try {
    const graph = new Graph()
    const [x, weight] = [graph.input('x', [side, side]), graph.input('weight', [side, side])]
    graph.output('y', graphOps(graph).linear(x, weight))
    const program = await compileGraph(executor, graph)
    const feeds = { x: new Float32Array(side * side).fill(1), weight: new Float32Array(side * side).fill(1) }
    await program.run(feeds)
    let fastest = Number.POSITIVE_INFINITY
    for (let i = 0; i < 10; i++) {
      const began = performance.now()
      await program.run(feeds)
      fastest = Math.min(fastest, performance.now() - began)
    }
    await program.close()
    return (2 * side ** 3 * 1000) / fastest
  } finally {
    await executor.close()
  }
}

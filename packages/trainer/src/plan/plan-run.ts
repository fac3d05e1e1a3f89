import { compileGraph, createExecutor, Graph, graphOps } from '@qoq-med/tensor'
import type { TrainConfig } from '../config/run-config.ts'
import { LeftOutSamples } from '../run/left-out-samples.ts'
import { createSamplePreparer, type PreparedSample } from '../run/prepared-sample.ts'
import { workingReward } from '../run/run-reward.ts'
import { samplesAt } from '../run/sample-order.ts'
import { mean } from '../means.ts'
import { checkSamples, checkStages } from '../stage/check-stages.ts'
import { parameterCount, type StageSizes } from '../stage/stage-needs.ts'
import { planStage, type StagePlan } from './stage-plan.ts'
import { describeModel } from '../run/start-model.ts'
import { loadTrainingData, stageSamples } from '../run/training-data.ts'

/** What a run will take; nothing has been written or trained. */
export interface RunPlan extends StageSizes {
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

/** Samples whose prompts are measured. */
const measuredSamples = 16

/**
 * Says what a run will take without training or writing anything: the data are opened, some prompts encoded, and a matrix
 * product is timed.
 *
 * @throws as `train`, for everything that can be known before the first step
 */
export async function planRun(
  config: TrainConfig,
  { baseFolder = '.' }: { baseFolder?: string } = {},
): Promise<RunPlan> {
  const data = await loadTrainingData(config, baseFolder)
  checkSamples(config, data)
  const model = await describeModel(config, data.samples, baseFolder)
  checkStages(config, model)
  const prepare = createSamplePreparer(model, config.data)
  const indices = samplesAt(data.samples.length, 0, Math.min(measuredSamples, data.samples.length), config.seed)
  const leftOut = new LeftOutSamples(config, { total: data.samples.length })
  const looked = await Promise.all(indices.map(index => leftOut.firstUsable(data.samples, index, prepare)))
  await workingReward(config, { data, model, baseFolder })
  const flops = await measureFlops(config)
  const lengths = tokenCounts(looked)
  const stages = config.stages.map(stage => {
    return planStage(stage, model, { samples: stageSamples(stage, data.samples).length, flops, ...lengths })
  })
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

function tokenCounts(looked: readonly PreparedSample[]): StageSizes {
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

import type { PolicyStage, TrainConfig } from '../config/run-config.ts'
import { trainerErrors } from '../errors.ts'
import { clusterOf } from './cluster.ts'
import type { ExternalEngine, RefusedField } from './engine.ts'
import { pluginFolder } from './plugin-folder.ts'
import { processJob, startProcess } from './process-job.ts'
import { installedVersions } from './python-versions.ts'

/** TRL's GRPOTrainer under Accelerate, on the devices of this machine: a process for each. */
export const trlEngine: ExternalEngine = {
  name: 'trl',
  refused: trlRefusals,
  settings: (config, stage) => ({ trl: trlSettings(config, stage), isCpu: config.device === 'cpu' }),
  probe: async config => {
    const python = clusterOf(config).python
    const { python: version, ...found } = await installedVersions(python, [
      'trl',
      'accelerate',
      'transformers',
      'torch',
    ])
    const tried = `${python} (Python ${version ?? 'missing'})`
    for (const [name, own] of Object.entries(found))
      if (own === null) throw trainerErrors.ENGINE_MISSING({ engine: 'trl', what: name, tried })
    if (!/^1\.\d/.test(String(found['trl'])))
      throw trainerErrors.ENGINE_MISSING({ engine: 'trl', what: 'TRL 1', tried: `${tried}, TRL ${found['trl']}` })
  },
  start: ({ config, folder, environment }) => {
    const { python, processes } = clusterOf(config)
    const launch = ['-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', String(processes)]
    return startProcess(folder, {
      command: [python, ...launch, '-m', 'qoq_cluster.trl_train', 'job.json'],
      environment: {
        ...environment,
        PYTHONPATH: pluginFolder(),
        PYTHONUNBUFFERED: '1',
        HF_HUB_OFFLINE: '1',
        TOKENIZERS_PARALLELISM: 'false',
        OMP_NUM_THREADS: String(Math.max(1, Math.floor(config.threads / processes))),
        ...(config.device === 'cpu' && { ACCELERATE_USE_CPU: 'true' }),
      },
    })
  },
  open: (id, { folder }) => processJob(folder, id),
}

function trlRefusals(config: TrainConfig, stage: PolicyStage): RefusedField[] {
  const { microbatchSize, schedule, trainable, dualClip, clipRatioHigh } = stage
  const checks: readonly (readonly [isRefused: boolean, field: string, reason: string])[] = [
    [config.device !== 'cpu' && config.device !== 'cuda', 'device', 'computes on cpu or cuda'],
    [config.preset === 'release', 'preset', 'has no counterpart of the public code'],
    [trainable.join() !== '*', 'stages.0.trainable', 'trains all parameters'],
    [
      !Number.isInteger(accumulation(config, stage)),
      'stages.0.microbatchSize',
      `splits ${rolloutsPerStep(stage)} rollouts into ${stage.minibatches} updates of ${clusterOf(config).processes} x ${microbatchSize}, which does not come out even`,
    ],
    [schedule.type === 'linear' && (schedule.final ?? 0) > 0, 'stages.0.schedule.final', 'falls linearly to 0'],
    [
      dualClip !== undefined && dualClip <= 1 + clipRatioHigh,
      'stages.0.dualClip',
      'bounds the ratio above the clip range alone',
    ],
  ]
  return checks.flatMap(([isRefused, field, reason]) => (isRefused ? [{ field, reason }] : []))
}

function rolloutsPerStep({ questionsPerStep, groupSize }: PolicyStage): number {
  return questionsPerStep * groupSize
}

/** Forward passes of each process in an optimizer update. */
function accumulation(config: TrainConfig, stage: PolicyStage): number {
  return rolloutsPerStep(stage) / stage.minibatches / (stage.microbatchSize * clusterOf(config).processes)
}

/** How the loss is averaged, in TRL's words. */
const lossTypes = {
  'sequence-mean-token-mean': 'grpo',
  'token-mean': 'dapo',
  'sequence-mean-token-sum-norm': 'dr_grpo',
} as const satisfies Record<PolicyStage['aggregation'], string>

/** The fields of TRL's GRPOConfig. */
export function trlSettings(config: TrainConfig, stage: PolicyStage): Readonly<Record<string, unknown>> {
  const { rollout, schedule, dualClip } = stage
  const updates = stage.updateEpochs * stage.minibatches
  return {
    seed: config.seed,
    max_steps: stage.steps * updates,
    num_generations: stage.groupSize,
    per_device_train_batch_size: stage.microbatchSize,
    gradient_accumulation_steps: accumulation(config, stage),
    steps_per_generation: accumulation(config, stage) * stage.minibatches,
    num_iterations: stage.updateEpochs,
    shuffle_dataset: false, // rows.jsonl has the order of the run
    learning_rate: stage.learningRate,
    warmup_steps: schedule.warmupSteps * updates,
    ...schedulerOf(stage),
    weight_decay: stage.weightDecay,
    max_grad_norm: stage.maxGradientNorm,
    epsilon: stage.clipRatioLow,
    epsilon_high: stage.clipRatioHigh,
    ...(dualClip !== undefined && { delta: dualClip }),
    beta: stage.klCoefficient,
    loss_type: lossTypes[stage.aggregation],
    scale_rewards: 'none', // advantages are ours
    mask_truncated_completions: stage.maskTruncated,
    max_completion_length: rollout.maxNewTokens,
    temperature: rollout.temperature,
    top_p: rollout.topP,
    top_k: 0,
    gradient_checkpointing: config.memory !== 'fast',
    bf16: config.device === 'cuda',
    save_strategy: 'steps',
    save_steps: stage.checkpointEvery * updates,
    save_total_limit: config.keep,
  }
}

function schedulerOf({ schedule: { type, final = 0 } }: PolicyStage): Readonly<Record<string, unknown>> {
  if (type === 'constant') return { lr_scheduler_type: 'constant_with_warmup' }
  if (type === 'linear') return { lr_scheduler_type: 'linear' }
  if (final === 0) return { lr_scheduler_type: 'cosine' }
  return { lr_scheduler_type: 'cosine_with_min_lr', lr_scheduler_kwargs: { min_lr: final } }
}

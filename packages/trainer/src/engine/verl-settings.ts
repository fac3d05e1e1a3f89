import type { PolicyStage, TrainConfig } from '../config/run-config.ts'
import { clusterOf } from './cluster.ts'
import type { RefusedField } from './engine.ts'

/** A ratio that no clip bounds: verl's loss has the bound of dual-clip PPO always. */
const unbounded = 1e9

/** What verl has no counterpart for, beside what no engine elsewhere has. */
export function verlRefusals(config: TrainConfig, stage: PolicyStage): RefusedField[] {
  const { questionsPerStep, minibatches, groupSize, microbatchSize, schedule, trainable } = stage
  const { nodes, processes } = clusterOf(config)
  const perDevice = ((questionsPerStep / minibatches) * groupSize) / (nodes * processes)
  const checks: readonly (readonly [isRefused: boolean, field: string, reason: string])[] = [
    [config.device !== 'cpu' && config.device !== 'cuda', 'device', 'computes on cpu or cuda'],
    [
      config.device === 'cpu' && clusterOf(config).rollout !== 'transformers',
      'device',
      'answers on cpu with `cluster.rollout: transformers` alone',
    ],
    [config.preset === 'release', 'preset', 'has no counterpart of the public code'],
    [trainable.join() !== '*', 'stages.0.trainable', 'trains all parameters'],
    [
      schedule.type === 'linear',
      'stages.0.schedule.type',
      'keeps the learning rate constant, or lowers it by a cosine',
    ],
    [stage.maskTruncated, 'stages.0.maskTruncated', 'trains on answers that were cut off'],
    [
      !Number.isInteger(questionsPerStep / minibatches),
      'stages.0.minibatches',
      'splits a step by questions, of which each update has as many',
    ],
    [
      !Number.isInteger(perDevice / microbatchSize),
      'stages.0.microbatchSize',
      `gives each of ${nodes * processes} devices ${perDevice} rollouts an update, which is no multiple of ${microbatchSize}`,
    ],
  ]
  return checks.flatMap(([isRefused, field, reason]) => (isRefused ? [{ field, reason }] : []))
}

/** How the loss is averaged, in verl's words. */
const aggregations = {
  'sequence-mean-token-mean': 'seq-mean-token-mean',
  'token-mean': 'token-mean',
  'sequence-mean-token-sum-norm': 'seq-mean-token-sum-norm',
} as const satisfies Record<PolicyStage['aggregation'], string>

/** Settings of verl by their paths in its configuration. */
export function verlSettings(config: TrainConfig, stage: PolicyStage): Readonly<Record<string, unknown>> {
  return {
    ...dataSettings(config, stage),
    ...actorSettings(config, stage),
    ...rolloutSettings(config, stage),
    ...trainerSettings(config, stage),
    ...(config.device === 'cpu' && cpuSettings()),
  }
}

function dataSettings(config: TrainConfig, stage: PolicyStage): Readonly<Record<string, unknown>> {
  return {
    'data.train_files': 'rows.jsonl',
    'data.val_files': 'rows.jsonl',
    'data.train_batch_size': stage.questionsPerStep,
    'data.max_prompt_length': config.data.maxPromptTokens,
    'data.max_response_length': stage.rollout.maxNewTokens,
    'data.shuffle': false, // rows.jsonl has the order of the run
    'data.seed': config.seed,
    'data.dataloader_num_workers': 0,
  }
}

function actorSettings(config: TrainConfig, stage: PolicyStage): Readonly<Record<string, unknown>> {
  const actor = {
    strategy: 'fsdp2',
    ppo_mini_batch_size: stage.questionsPerStep / stage.minibatches,
    ppo_micro_batch_size_per_gpu: stage.microbatchSize,
    ppo_epochs: stage.updateEpochs,
    shuffle: false,
    clip_ratio: stage.clipRatioLow,
    clip_ratio_low: stage.clipRatioLow,
    clip_ratio_high: stage.clipRatioHigh,
    clip_ratio_c: stage.dualClip ?? unbounded,
    loss_agg_mode: aggregations[stage.aggregation],
    loss_scale_factor: stage.rollout.maxNewTokens,
    entropy_coeff: 0,
    calculate_entropy: true,
    use_kl_loss: stage.klCoefficient > 0,
    kl_loss_coef: stage.klCoefficient,
    kl_loss_type: 'low_var_kl',
    grad_clip: stage.maxGradientNorm,
    'optim.lr': stage.learningRate,
    'optim.weight_decay': stage.weightDecay,
    'optim.clip_grad': stage.maxGradientNorm,
    'optim.lr_warmup_steps': stage.schedule.warmupSteps,
    'optim.lr_scheduler_type': stage.schedule.type === 'cosine' ? 'cosine' : 'constant',
    'optim.min_lr_ratio': (stage.schedule.final ?? 0) / stage.learningRate,
    'optim.total_training_steps': stage.steps,
    'fsdp_config.seed': config.seed,
    'checkpoint.save_contents': ['model', 'optimizer', 'extra', 'hf_model'],
  }
  return {
    ...prefixed('actor_rollout_ref.actor', actor),
    'actor_rollout_ref.ref.log_prob_micro_batch_size_per_gpu': stage.microbatchSize,
    'actor_rollout_ref.model.enable_gradient_checkpointing': config.memory !== 'fast',
    'algorithm.adv_estimator': 'qoq',
    'algorithm.use_kl_in_reward': false,
  }
}

function rolloutSettings(
  config: TrainConfig,
  { rollout, groupSize, microbatchSize }: PolicyStage,
): Readonly<Record<string, unknown>> {
  return prefixed('actor_rollout_ref.rollout', {
    name: clusterOf(config).rollout,
    n: groupSize,
    temperature: rollout.temperature,
    top_p: rollout.topP,
    top_k: -1,
    seed: config.seed,
    tensor_model_parallel_size: 1,
    log_prob_micro_batch_size_per_gpu: microbatchSize,
  })
}

function trainerSettings(config: TrainConfig, stage: PolicyStage): Readonly<Record<string, unknown>> {
  const { nodes, processes } = clusterOf(config)
  const trainer = {
    project_name: 'qoq-med',
    experiment_name: config.name,
    logger: ['console'],
    total_epochs: 1,
    total_training_steps: stage.steps,
    nnodes: nodes,
    n_gpus_per_node: processes,
    device: config.device,
    save_freq: stage.checkpointEvery,
    max_actor_ckpt_to_keep: config.keep,
    test_freq: -1,
    val_before_train: false,
    resume_mode: 'disable',
    'v1.trainer_mode': 'qoq_sync',
  }
  return {
    ...prefixed('trainer', trainer),
    'reward.custom_reward_function.path': 'pkg://qoq_cluster.verl_rewards',
    'reward.custom_reward_function.name': 'compute_score',
    // Metrics of verl's own are of its estimators; a store of each node would be too many for a few questions.
    'transfer_queue.backend.SimpleStorage.num_data_storage_units': nodes,
  }
}

/** What a machine without a GPU cannot do, or does not do as fast. */
function cpuSettings(): Readonly<Record<string, unknown>> {
  const engine = { use_torch_compile: false, model_dtype: 'fp32', dtype: 'float32' }
  return {
    ...prefixed('actor_rollout_ref.actor.fsdp_config', engine),
    ...prefixed('actor_rollout_ref.ref.fsdp_config', engine),
    'actor_rollout_ref.actor.use_torch_compile': false,
    'actor_rollout_ref.rollout.dtype': 'float32',
    'actor_rollout_ref.rollout.free_cache_engine': false,
    'actor_rollout_ref.rollout.agent.num_workers': 1,
    'actor_rollout_ref.model.use_remove_padding': false,
    'actor_rollout_ref.model.override_config.attn_implementation': 'sdpa',
    'reward.num_workers': 1,
  }
}

function prefixed(prefix: string, fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [`${prefix}.${name}`, value]))
}

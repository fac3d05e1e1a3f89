import { z } from 'zod'

/** What can train a run. */
export const engineNames = ['local', 'trl', 'verl'] as const

const count = z.int().positive()

/** Where an engine outside this process runs, and what it is told of this machine. */
export const ClusterSchema = z.strictObject({
  /** The interpreter that has the engine; default: the environment's QOQ_CLUSTER_PYTHON, or python3. Of verl: on the cluster. */
  python: z.string().optional(),
  /** TRL: processes on this machine, one for each device. verl: devices of each node. */
  processes: count.default(1),
  /** verl: machines. */
  nodes: count.default(1),
  /** verl: address of Ray's dashboard, such as http://head:8265. */
  ray: z.url({ protocol: /^https?$/ }).optional(),
  /** verl: what answers, on the cluster; `transformers` needs no GPU, and is slow. */
  rollout: z.enum(['vllm', 'sglang', 'transformers']).default('vllm'),
  /** verl: the model folder as the cluster's machines see it; default: the configuration's checkpoint. */
  model: z.string().optional(),
  /** verl: a folder that the cluster's machines share, for checkpoints and the trained model; default, where Ray runs on this machine: the run folder. */
  folder: z.string().optional(),
  /** Address of a running server of rewards and advantages; its key is QOQ_KEY of the environment. Default: one is started. */
  rewards: z.url({ protocol: /^https?$/ }).optional(),
  /** Seconds that a job waits for that server when it is away. */
  patience: z.number().positive().default(120),
})

/** Where an engine outside this process runs. */
export type Cluster = z.output<typeof ClusterSchema>

/** The same with its defaults, where a configuration says nothing. */
export const defaultCluster: Cluster = ClusterSchema.parse({})

import { defaultCluster, type Cluster } from '../config/cluster-fields.ts'
import type { TrainConfig } from '../config/run-config.ts'

/** Where a configuration's engine runs; the interpreter may come from the environment. */
export function clusterOf({
  cluster = defaultCluster,
}: Pick<TrainConfig, 'cluster'>): Cluster & { readonly python: string } {
  return { ...cluster, python: cluster.python ?? process.env['QOQ_CLUSTER_PYTHON'] ?? 'python3' }
}

import type { MlflowOptions } from '@qoq-med/trainer'

/** The MLflow server that the environment names, by the variables of MLflow's own client; none without MLFLOW_TRACKING_URI. */
export function mlflowOf(env: Readonly<Record<string, string | undefined>>): MlflowOptions | undefined {
  const uri = env['MLFLOW_TRACKING_URI']
  if (uri === undefined || uri === '') return undefined
  return {
    uri,
    experiment: env['MLFLOW_EXPERIMENT_NAME'],
    token: env['MLFLOW_TRACKING_TOKEN'],
    username: env['MLFLOW_TRACKING_USERNAME'],
    password: env['MLFLOW_TRACKING_PASSWORD'],
  }
}

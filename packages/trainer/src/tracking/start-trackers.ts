import type { TrainConfig } from '../config/run-config.ts'
import { createMlflowTracker, type MlflowOptions } from './mlflow.ts'
import { createTensorBoardTracker } from './tensorboard.ts'
import type { RunTracker } from './run-tracker.ts'

/** Where a run's metrics go beside its folder. */
export interface TrackingOptions {
  /** An MLflow server; none by default. */
  readonly mlflow?: MlflowOptions | undefined
  /** Told when a tracker has a difficulty that the run itself survives. */
  readonly onWarning?: ((text: string) => void) | undefined
}

/** Starts the trackers of a run whose metrics.jsonl stands where the run begins or goes on. */
export async function startTrackers(
  folder: string,
  config: TrainConfig,
  { mlflow, onWarning = () => undefined }: TrackingOptions,
): Promise<RunTracker[]> {
  const run = { folder, name: config.name, params: Object.fromEntries(settingsIn('', config)) }
  const tensorBoard = await createTensorBoardTracker(folder)
  return mlflow === undefined ? [tensorBoard] : [tensorBoard, createMlflowTracker(run, mlflow, onWarning)]
}

/** Every setting of a configuration by its path, as text. */
function settingsIn(path: string, value: unknown): [string, string][] {
  if (typeof value !== 'object' || value === null) return [[path, String(value)]]
  return Object.entries(value).flatMap(([name, inner]) => settingsIn(path === '' ? name : `${path}.${name}`, inner))
}

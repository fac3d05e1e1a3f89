import type { TrainConfig } from '../config/run-config.ts'
import type { Engine } from './engine.ts'
import { localEngine } from './local-engine.ts'
import { elsewhere } from './run-elsewhere.ts'
import { trlEngine } from './trl-engine.ts'
import { verlEngine } from './verl-engine.ts'

/** What can train a run; a new engine is a row. */
export const engines: Readonly<Record<NonNullable<TrainConfig['engine']>, Engine>> = {
  local: localEngine,
  trl: elsewhere(trlEngine),
  verl: elsewhere(verlEngine),
}

import { parseConfig } from '../config/load-config.ts'
import { isPolicyStage, type PolicyStage, type TrainConfig } from '../config/run-config.ts'

/** Fields of a configuration. */
export type Fields = Readonly<Record<string, unknown>>

/** A configuration for an engine elsewhere, with fields of its own and of its one stage. */
export function externalConfig({ stage = {}, ...fields }: { readonly stage?: Fields } & Fields = {}): TrainConfig {
  return parseConfig({
    name: 'elsewhere',
    engine: 'trl',
    cluster: { processes: 2 },
    model: { checkpoint: 'model' },
    data: { sources: [] },
    stages: [
      {
        name: 'drpo',
        algorithm: 'drpo',
        steps: 5,
        questionsPerStep: 4,
        groupSize: 4,
        microbatchSize: 2,
        minibatches: 2,
        updateEpochs: 3,
        learningRate: 1e-6,
        ...stage,
      },
    ],
    ...fields,
  })
}

/** The stage of such a configuration. */
export function stageOf({ stages: [stage] }: TrainConfig): PolicyStage {
  if (stage && isPolicyStage(stage)) return stage
  throw new Error('no policy stage')
}

import type { Stage } from '../config/run-config.ts'
import { isPolicyStage } from '../config/run-config.ts'
import { ecgPretrainKind } from './ecg-pretrain-stage.ts'
import { policyKind } from './policy-stage.ts'
import { sftKind } from './sft-stage.ts'
import type { StageKind } from './stage-kind.ts'

/** The kinds of stages; the algorithms of reinforcement learning share one. */
export const stageKinds = { sft: sftKind, policy: policyKind, 'ecg-pretrain': ecgPretrainKind } as const

/** The kind of a stage. */
export function kindOf(stage: Stage): StageKind {
  return stageKinds[isPolicyStage(stage) ? 'policy' : stage.algorithm]
}

import type { ExperimentArm } from './experiment-arm.ts'
import type { ExperimentDefinition } from './experiment-definition.ts'

/** The two arms of the result first, then the others. */
const arms: readonly ExperimentArm[] = [
  { name: 'GRPO', id: 'grpo', stage: { algorithm: 'grpo' }, inBalanced: true },
  { name: 'DRPO, recommended', id: 'drpo-recommended', stage: { algorithm: 'drpo-recommended' }, inBalanced: true },
  { name: 'DRPO as printed', id: 'drpo', stage: { algorithm: 'drpo' }, inBalanced: false, seeds: 3 },
  { name: 'DRPO, no damping', id: 'drpo-no-kl', stage: { algorithm: 'drpo-no-kl' }, inBalanced: false, seeds: 3 },
  {
    name: 'DRPO, domain only',
    id: 'drpo-domain-only',
    stage: { algorithm: 'drpo-domain-only' },
    inBalanced: false,
    seeds: 3,
  },
  { name: 'FairGRPO', id: 'fair-grpo', stage: { algorithm: 'fair-grpo' }, inBalanced: false, seeds: 3 },
  { name: 'RLOO', id: 'rloo', stage: { algorithm: 'rloo' }, inBalanced: false, seeds: 3 },
  { name: 'REINFORCE++', id: 'reinforce++', stage: { algorithm: 'reinforce++' }, inBalanced: false, seeds: 3 },
]

/**
 * The experiment that was decided before it was run (docs/experiments/drpo-vs-grpo-2.md): all nine domains, findings that may be
 * too faint to see, and steps of 128 questions, so that clusters have members.
 */
export const drpoVsGrpo2: ExperimentDefinition = {
  name: 'drpo-vs-grpo-2',
  title: 'DRPO against GRPO, decided in advance',
  settings: {
    seeds: 5,
    clinicSize: 3000,
    judgedSize: 2000,
    warmSteps: 300,
    steps: 48,
    questionsPerStep: 128,
    groupSize: 5,
    learningRate: 1e-4,
    klCoefficient: 0,
    maxNewTokens: 24,
  },
  domains: ['ecg', 'chest_xray', 'ct', 'mammography', 'dermoscopy', 'fundus', 'mri', 'pathology', 'ultrasound'],
  clinic: { difficulty: 'ambiguous', answers: 'short' },
  model: { preset: 'qoq-pico', vocabularySize: 600 },
  // The paper's weights without its format reward, which asks for reasoning that these answers do not have.
  rewards: { accuracy: 0.75, iou: 0.25 },
  arms,
  baseline: 'grpo',
  primary: 'drpo-recommended',
  warmStarts: 'by-seed',
  warmStage: {
    batchSize: 32,
    microbatchSize: 32,
    learningRate: 3e-3,
    schedule: { type: 'cosine', warmupSteps: 10, final: 1e-3 },
  },
  policyStage: { microbatchSize: 64 },
}

import type { SampleSelection } from '@qoq-med/data-climb'
import { chunks } from '../chunks.ts'
import type { SftStage } from '../config/run-config.ts'
import { stageSchedule } from '../config/stage-schedule.ts'
import { tokenWeights } from '../learn/policy-loss.ts'
import { sftObjective, type SftItem } from '../learn/sft-objective.ts'
import { naming, requireFinite } from '../run/at-step.ts'
import type { Question } from '../run/prepared-sample.ts'
import { promptsFrom } from '../run/prompts.ts'
import type { Run } from '../run/run.ts'
import type { RunPosition } from '../run/run-position.ts'
import { stageWeights } from '../run/stage-weights.ts'
import { stepSamples } from '../run/step-samples.ts'
import { stageSamples } from '../run/training-data.ts'
import type { StageKind, StageStart, StageWork, StepOutcome } from './stage-kind.ts'
import { sftNeeds } from './stage-needs.ts'
import { checkTuned, startTuned, type TunedParts } from './tuned-parts.ts'
import { validateAnswers } from './validate-answers.ts'

/** Supervised fine-tuning on reference responses: the warm start of a policy that cannot answer yet. */
export const sftKind: StageKind<SftStage> = { check: checkTuned, needs: sftNeeds, start: startSft }

/** Answers after which a validation of an SFT stage ends them. */
const answerTokens = 128

async function startSft(run: Run, start: StageStart<SftStage>): Promise<StageWork> {
  const { stage } = start
  const parts = await startTuned(run, start, 1)
  const { trained, learner, policy } = parts
  const samples = stageSamples(stage, run.data, run.config)
  return {
    trained,
    step: position => sftStep(run, { ...start, ...parts, samples }, position),
    skip: position => {
      learner.store.zeroGradients()
      return { ...position, step: position.step + 1 }
    },
    validate: () => validateAnswers(run, stage, { policy, maxNewTokens: answerTokens }),
    content: () => ({ optimizer: learner.optimizerState() }),
    weightsAt: resumed => stageWeights({ ...run, ...start, resumed }),
    close: async () => void (await Promise.all([learner.close(), policy.close()])),
  }
}

/** What the steps of an SFT stage work with. */
interface SftParts extends StageStart<SftStage>, TunedParts {
  readonly samples: SampleSelection
}

async function sftStep(run: Run, parts: SftParts, position: RunPosition): Promise<StepOutcome> {
  const { stage, stageIndex, samples, answers, learner } = parts
  const step = position.step + 1
  const from = position.step * stage.batchSize
  const batch = await stepSamples(run, samples, { stageIndex, from, count: stage.batchSize })
  // Like media together: a microbatch of one modality needs one graph, not one per mixture.
  const ordered = batch.toSorted((a, b) => (a.mediaKey < b.mediaKey ? -1 : a.mediaKey > b.mediaKey ? 1 : 0))
  const items = sftItems(ordered)
  const prompts = promptsFrom(run.prepare)
  const objective = sftObjective(answers)
  let loss = 0
  for (const part of chunks(items, stage.microbatchSize)) {
    const encoded = await prompts(part.map(({ question }) => question))
    loss += await learner.accumulate(
      objective,
      part.map((item, i) => ({ ...item, prompt: encoded[i]! })), // one a question
    )
  }
  const ids = ordered.map(({ sample }) => sample.id)
  requireFinite('loss', loss, ids)
  const update = await naming(ids, () => learner.update(stageSchedule(stage)(step)))
  const tokens = items.reduce((sum, { completion }) => sum + completion.length, 0)
  return { position: { ...position, step }, metrics: { loss, ...update, tokens }, progress: { loss } }
}

/** An item before its prompt is prepared. */
interface QuestionItem extends Omit<SftItem, 'prompt'> {
  readonly question: Question
}

function sftItems(batch: readonly Question[]): QuestionItem[] {
  const lengths = batch.map(({ reference }) => reference.length)
  const weights = tokenWeights(lengths, 'token-mean', 1)
  return batch.map((question, i) => ({ question, completion: question.reference, tokenWeight: weights[i]! }))
}

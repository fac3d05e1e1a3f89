import type { Encoded, ScoredSequence } from '@qoq-med/model'
import { createParameterStore, gradientNorm } from '@qoq-med/tensor'
import { describe, expect, test } from 'vitest'
import type { PolicyStage } from '../config/run-config.ts'
import { parseConfig } from '../config/load-config.ts'
import type { AnswerModel } from '../learn/answer-model.ts'
import type { Learner } from '../learn/learner.ts'
import type { PolicyItem, PolicyLossReport } from '../learn/policy-objective.ts'
import { atStep } from '../run/at-step.ts'
import type { AdvantagedRollout } from './rollout.ts'
import { updatePolicy, type PolicyUpdateInput } from './update-policy.ts'

function stageOf(fields: Readonly<Record<string, unknown>>): PolicyStage {
  const { stages } = parseConfig({
    name: 'unit',
    model: { preset: 'qoq-nano' },
    data: { sources: [{ dataset: 'georgia', root: 'data' }] },
    stages: [{ name: 'rl', algorithm: 'grpo', steps: 1, learningRate: 1e-3, groupSize: 2, ...fields }],
  })
  return stages[0] as PolicyStage // a grpo stage
}

/** A learner that notes its targets and answers and accumulates what the test says. */
function fakeLearner({ loss = 1, gradient = 1, logprob = 0, laterLogprob = 0 } = {}) {
  const store = createParameterStore([{ name: 'layer.weight', shape: [2] }])
  const items: PolicyItem[] = []
  let [updates, evaluated] = [0, 0]
  const learner = {
    store,
    accumulate: (_objective: unknown, given: readonly PolicyItem[]): Promise<PolicyLossReport> => {
      items.push(...given)
      store.gradient('layer.weight').fill(gradient)
      const scores = given.map(({ completion }) => ({
        logprobs: new Float32Array(completion.length).fill(logprob),
        entropy: new Float32Array(completion.length).fill(2),
      }))
      return Promise.resolve({ loss, klPenalty: 0, clipFraction: 0, scores })
    },
    evaluate: (_pass: unknown, given: readonly ScoredSequence[]): Promise<Float32Array[]> => {
      if (updates > 0) throw new Error('the weights have moved')
      evaluated += given.length
      return Promise.resolve(given.map(({ completion }) => new Float32Array(completion.length).fill(laterLogprob)))
    },
    update: (learningRate: number) => {
      const norm = gradientNorm(store)
      updates++
      store.zeroGradients()
      return { gradientNorm: norm, learningRate }
    },
  } as unknown as Learner // the parts that an update uses
  return { learner, items, updates: () => updates, evaluated: () => evaluated }
}

const rollout = (length: number, finish: 'end' | 'length', advantage: number): AdvantagedRollout =>
  ({
    question: 0,
    prepared: { sample: { id: 'set/7' } },
    completion: { tokenIds: new Int32Array(length), logprobs: new Float32Array(length), finish },
    refLogprobs: new Float32Array(length),
    trains: finish === 'end',
    advantage,
  }) as unknown as AdvantagedRollout // the parts that an update uses

/** One question with two answers of three and one token; the first was cut off. */
const input: PolicyUpdateInput = {
  rollouts: [rollout(3, 'length', 1), rollout(1, 'end', -1)],
  step: 5,
  learningRate: 1e-3,
  klCoefficient: 0,
}

const prompts = (questions: readonly unknown[]) => Promise.resolve(questions.map(() => ({}) as Encoded)) // nothing reads one
const answers = { decoder: {}, encoders: {} } as unknown as AnswerModel // no pass runs

const update = (stage: PolicyStage, learner: Learner): ReturnType<typeof updatePolicy> =>
  atStep({ stage: stage.name, step: 5 }, () => updatePolicy({ stage, learner, answers, prompts }, input))

describe('updatePolicy', () => {
  test('gives no weight to an answer that does not train, and all to the others', async () => {
    const { learner, items } = fakeLearner()
    await update(stageOf({ maskTruncated: true }), learner)
    expect(items.map(({ tokenWeight }) => tokenWeight)).toEqual([0, 1])
  })

  test.for([
    {
      what: 'loss',
      fake: { loss: Number.NaN },
      says: /^The loss is not finite in step 5 of the stage rl \(sample set\/7\)\.$/,
    },
    {
      what: 'gradient',
      fake: { gradient: Number.NaN },
      says: /^The gradient is not finite in step 5 of the stage rl \(.*layer\.weight.*; sample set\/7\)\.$/,
    },
  ])('stops at a $what that is not finite, naming step, sample and place', async ({ fake, says }) => {
    const { learner, updates } = fakeLearner(fake)
    const message = expect.stringMatching(says) as unknown as string // an asymmetric matcher
    const run = update(stageOf({}), learner)
    await expect(run).rejects.toMatchObject({ code: 'TRAINER_NOT_FINITE', message })
    expect(updates()).toBe(0)
  })

  test('leaves such an update out where the stage says so, and clears its gradient', async () => {
    const { learner } = fakeLearner({ gradient: Number.POSITIVE_INFINITY })
    const { report } = await update(stageOf({ onNotFinite: 'skip' }), learner)
    expect(report).toMatchObject({ updates: 0, skippedUpdates: 1 })
    expect([...learner.store.gradient('layer.weight')]).toEqual([0, 0])
  })

  test('leaves an update out for a loss of the critic that is not finite, the policy too, and names it', async () => {
    const [policy, critic] = [fakeLearner(), fakeLearner({ loss: Number.NaN })]
    const rollouts = input.rollouts.map(one => ({
      ...one,
      values: new Float32Array(one.completion.tokenIds.length),
      returns: new Float64Array(one.completion.tokenIds.length),
    }))
    const run = (onNotFinite: string): ReturnType<typeof updatePolicy> => {
      const stage = stageOf({ algorithm: 'ppo', onNotFinite })
      const parts = { stage, learner: policy.learner, critic: critic.learner, answers, prompts }
      return atStep({ stage: 'rl', step: 5 }, () => updatePolicy(parts, { ...input, rollouts }))
    }
    expect((await run('skip')).report).toMatchObject({ updates: 0, skippedUpdates: 1 })
    expect([...critic.learner.store.gradient('layer.weight')]).toEqual([0, 0])
    expect([policy.updates(), critic.updates()]).toEqual([0, 0])
    const message = expect.stringMatching(
      /^The critic's loss is not finite in step 5 of the stage rl/,
    ) as unknown as string // an asymmetric matcher
    await expect(run('stop')).rejects.toMatchObject({ code: 'TRAINER_NOT_FINITE', message })
  })

  test('measures entropy and gap once, before the weights move', async () => {
    const { learner, updates } = fakeLearner({ logprob: -0.25 })
    const { first } = await update(stageOf({ updateEpochs: 3 }), learner)
    expect(first).toEqual({ entropy: 2, logprobGap: 0.25 })
    expect(updates()).toBe(3)
  })

  test('measures the gap over all minibatches before the weights move, or over the first alone', async () => {
    const later = { ...input, rollouts: [...input.rollouts, rollout(2, 'end', 1), rollout(2, 'end', -1)] }
    const measured = async (over: string): Promise<unknown> => {
      const fake = fakeLearner({ logprob: -0.25, laterLogprob: -0.5 })
      const stage = stageOf({ minibatches: 2, logprobGap: { over } })
      const { first } = await updatePolicy({ stage, learner: fake.learner, answers, prompts }, later)
      return [first!.logprobGap, fake.evaluated()]
    }
    expect(await measured('all')).toEqual([0.5, 2])
    expect(await measured('first')).toEqual([0.25, 0])
  })

  test('stops at a gap above the limit, naming the sample, before any update', async () => {
    const { learner, updates } = fakeLearner({ logprob: -0.25 })
    const run = update(stageOf({ logprobGap: { limit: 0.2 } }), learner)
    const message = expect.stringContaining('set/7') as unknown as string // an asymmetric matcher
    await expect(run).rejects.toMatchObject({ code: 'TRAINER_LOGPROB_GAP', message })
    expect(updates()).toBe(0)
  })
})

import type { ScoredSequence } from '@qoq-med/model'
import { createParameterStore, gradientNorm } from '@qoq-med/tensor'
import { describe, expect, test } from 'vitest'
import type { PolicyStage } from '../config/run-config.ts'
import type { Learner, PolicyLossReport, PolicyTarget } from '../learn/learner.ts'
import { parseConfig } from '../config/load-config.ts'
import { updatePolicy, type PolicyUpdateInput } from './policy-update.ts'
import type { RewardedRollout } from './rollouts.ts'
import type { StageContext } from '../stage/stage-context.ts'

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
function fakeLearner({ loss = 1, gradient = 1, logprob = 0 } = {}) {
  const store = createParameterStore([{ name: 'layer.weight', shape: [2] }])
  const targets: PolicyTarget[] = []
  let updates = 0
  const learner = {
    store,
    accumulatePolicy: (
      sequences: readonly ScoredSequence[],
      given: readonly PolicyTarget[],
    ): Promise<PolicyLossReport> => {
      targets.push(...given)
      store.gradient('layer.weight').fill(gradient)
      const scores = sequences.map(({ completion }) => ({
        logprobs: new Float32Array(completion.length).fill(logprob),
        entropy: new Float32Array(completion.length).fill(2),
      }))
      return Promise.resolve({ loss, klPenalty: 0, clipFraction: 0, scores })
    },
    update: (learningRate: number) => {
      const norm = gradientNorm(store)
      updates++
      store.zeroGradients()
      return { gradientNorm: norm, learningRate }
    },
  } as unknown as Learner // the parts that an update uses
  return { learner, targets, updates: () => updates }
}

const rollout = (length: number, finish: 'end' | 'length', trains: boolean): RewardedRollout =>
  ({
    question: 0,
    prepared: { sample: { id: 'set/7' } },
    completion: { tokenIds: new Int32Array(length), logprobs: new Float32Array(length), finish },
    trains,
  }) as unknown as RewardedRollout // the parts that an update uses

/** One question with two answers of three and one token; the first was cut off. */
function inputOf(): PolicyUpdateInput {
  const rollouts = [rollout(3, 'length', false), rollout(1, 'end', true)]
  const rows = rollouts.map(({ completion }) => new Float32Array(completion.tokenIds.length))
  return {
    scored: { rollouts, reference: rows },
    result: {
      level: 'response',
      estimator: 'grpo',
      advantages: Float64Array.of(1, -1),
      stages: undefined,
      state: undefined,
    },
    step: 5,
    learningRate: 1e-3,
    klCoefficient: 0,
  }
}

const contextOf = (learner: Learner): StageContext => ({ learner }) as unknown as StageContext // all that an update uses

describe('updatePolicy', () => {
  test('gives no weight to an answer that does not train, and all to the others', async () => {
    const { learner, targets } = fakeLearner()
    await updatePolicy(stageOf({ maskTruncated: true }), contextOf(learner), inputOf())
    expect(targets.map(({ tokenWeight }) => tokenWeight)).toEqual([0, 1])
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
    const run = updatePolicy(stageOf({}), contextOf(learner), inputOf())
    await expect(run).rejects.toMatchObject({ code: 'TRAINER_NOT_FINITE', message })
    expect(updates()).toBe(0)
  })

  test('leaves such an update out where the stage says so, and clears its gradient', async () => {
    const { learner } = fakeLearner({ gradient: Number.POSITIVE_INFINITY })
    const { report } = await updatePolicy(stageOf({ onNotFinite: 'skip' }), contextOf(learner), inputOf())
    expect(report).toMatchObject({ updates: 0, skippedUpdates: 1 })
    expect([...learner.store.gradient('layer.weight')]).toEqual([0, 0])
  })

  test('measures entropy and gap once, before the weights move', async () => {
    const { learner, updates } = fakeLearner({ logprob: -0.25 })
    const { first } = await updatePolicy(stageOf({ epochs: 3 }), contextOf(learner), inputOf())
    expect(first).toEqual({ entropy: 2, logprobGap: 0.25 })
    expect(updates()).toBe(3)
  })

  test('stops at a gap above the limit, naming the sample, before any update', async () => {
    const { learner, updates } = fakeLearner({ logprob: -0.25 })
    const run = updatePolicy(stageOf({ logprobGap: { limit: 0.2 } }), contextOf(learner), inputOf())
    const message = expect.stringContaining('set/7') as unknown as string // an asymmetric matcher
    await expect(run).rejects.toMatchObject({ code: 'TRAINER_LOGPROB_GAP', message })
    expect(updates()).toBe(0)
  })
})

import { drawOrder, type Sample } from '@qoq-med/data-climb'

/** One step of a scripted run: Q questions, G answers. */
export interface ScriptedStep {
  /** [Q][G] */
  readonly rewards: readonly (readonly number[])[]
  /** [Q] what the estimator groups by. */
  readonly domains: readonly string[]
  /** [Q] */
  readonly demographics?: readonly string[]
}

/** Samples such that the n-th question that a run draws is the n-th of the steps; their dataset is the step's domain. */
export function scriptedSamples(steps: readonly ScriptedStep[], seed: number): Sample[] {
  const questions = steps.flatMap(({ domains, demographics }) =>
    domains.map((domain, i) => ({ domain, demographics: demographics?.[i] ?? '' })),
  )
  const samples: Sample[] = []
  const order = drawOrder([{ rows: questions.length }], seed)
  questions.forEach(({ domain, demographics }, drawn) => {
    samples[order.at(drawn).row] = {
      id: `question/${drawn}`,
      dataset: domain,
      domain: 'multimodal',
      patientId: String(drawn),
      modality: ['text'],
      split: 'train',
      question: `Question ${drawn}: which label fits?`,
      labels: [`label ${drawn}`],
      answer: [`label ${drawn}`],
      answerMode: 'single',
      files: [],
      ...(demographics !== '' && { demographics }),
      reference: () => `\\boxed{label ${drawn}}`,
    }
  })
  return samples
}

/** A module with a reward that pays what the steps say, whatever is answered; its first call is the trial before the run. */
export function scriptedReward(steps: readonly ScriptedStep[]): string {
  return `const rewards = ${JSON.stringify(steps.flatMap(step => step.rewards))}
const calls = new Map()
let tried = false
export default (_response, { answer }) => {
  if (!tried) { tried = true; return { score: 0 } }
  const question = Number(answer[0].slice('label '.length))
  const call = calls.get(question) ?? 0
  calls.set(question, call + 1)
  return { score: rewards[question][call] }
}
`
}

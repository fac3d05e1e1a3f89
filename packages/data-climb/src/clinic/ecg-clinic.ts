import { ecgClasses } from '../ecg/snomed-classes.ts'
import type { EcgDomain } from './clinic-domain.ts'
import { ecgConditions, normalHeart, type EcgCondition } from './ecg-conditions.ts'
import { heartBetween } from './heart-severity.ts'
import { simulateEcg } from './simulate-ecg.ts'

/** Simulated twelve-lead ECGs with the classes of the real sets; some patients have two. */
export const ecgClinic: EcgDomain = {
  type: 'ecg',
  domain: 'ecg',
  title: 'Mini clinic: 12-lead ECG (simulated)',
  cue: '12-lead ECG',
  labels: ecgClasses,
  answerMode: 'multi',
  cases: [
    { answer: ['Normal'], weight: 6 },
    { answer: ['Conduction Delay'], weight: 4 },
    { answer: ['A. Fib/Aflutter'], weight: 3 },
    { answer: ['STTC'], weight: 3 },
    { answer: ['Hypertrophy'], weight: 3 },
    { answer: ['Myocardial Infarction'], weight: 3 },
    { answer: ['Other'], weight: 2 },
    { answer: ['Hypertrophy', 'A. Fib/Aflutter'], weight: 1 },
    { answer: ['STTC', 'A. Fib/Aflutter'], weight: 1 },
  ],
  simulate: (answer, { patient, view }, severity) => {
    const conditions = answer.map(label => patient.pick(formsOf(label)))
    const healthy = normalHeart(patient)
    const sick = conditions.reduce((state, condition) => condition.apply(state, patient), healthy)
    return {
      recording: simulateEcg(heartBetween(healthy, sick, severity), view),
      findings: conditions.map(({ label, description }) => ({ label, description })),
      snomed: conditions.map(condition => condition.snomed),
    }
  },
}

function formsOf(label: string): readonly [EcgCondition, ...EcgCondition[]] {
  const [first = ecgConditions[0], ...others] = ecgConditions.filter(condition => condition.label === label)
  return [first, ...others]
}

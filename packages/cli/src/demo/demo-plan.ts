import path from 'node:path'
import type { Domain } from '@qoq-med/data-climb'
import { demoFolders } from './demo-folders.ts'

/** A dataset of the demo. */
export interface DemoSource {
  readonly dataset: string
  readonly root: string
  readonly onError: 'throw' | 'skip'
}

/** What a demo trains on and is judged by. */
export interface DemoPlan {
  readonly origin: 'simulated' | 'real'
  /** What trains, whole. */
  readonly sources: readonly DemoSource[]
  /** What is asked afterwards, whole. */
  readonly judges: readonly DemoSource[]
  /** One sentence on the data, for whoever reads the result. */
  readonly about: string
}

/** Where the demo's training starts: from the warm start that ships with the project, or from random weights. */
export type DemoStart = 'shipped' | 'nothing'

/** Domains of the demo's clinic: a recording and two kinds of pictures, so few that minutes teach something about each. */
const demoDomains = ['ecg', 'chest_xray', 'mri'] as const satisfies readonly Domain[]

/**
 * The clinics of the demo by their folders, samples evenly shared: one trains, the other patients judge.
 *
 * @param scale of the demo's length; a short one has smaller clinics, a long one does not have larger ones
 */
export function demoClinics(seed: number, scale: number) {
  const size = (whole: number): number =>
    demoDomains.length * Math.ceil((whole / demoDomains.length) * Math.min(1, scale))
  const clinic = { domains: demoDomains, difficulty: 'easy', preset: 'balanced' } as const
  // Other patients than those that the shipped warm start was trained on.
  return [
    { ...clinic, dir: demoFolders.clinic, size: size(720), seed: 1000 + 2 * seed },
    { ...clinic, dir: demoFolders.judges, size: size(900), seed: 1001 + 2 * seed },
  ] as const
}

const clinicSources = (root: string): DemoPlan['sources'] =>
  demoDomains.map(domain => ({ dataset: `mini_clinic_${domain}`, root, onError: 'throw' }))

/** The plan on simulated patients. */
export const simulatedPlan: DemoPlan = {
  origin: 'simulated',
  sources: clinicSources(demoFolders.clinic),
  judges: clinicSources(demoFolders.judges),
  about: 'simulated ECGs, chest X-rays and brain MRIs; judged on patients that did not train',
}

/** The plan on the sample files of real datasets: so few that they train and judge. */
export function realPlan(folder: string): DemoPlan {
  const source = (dataset: string, name: string, onError: 'throw' | 'skip' = 'throw') => ({
    dataset,
    root: path.join(folder, name),
    onError,
  })
  const sources = [
    source('georgia', 'ecg-georgia'),
    source('ptb_xl', 'ecg-ptbxl', 'skip'),
    source('brain_tumor', 'mri-brain-tumor'),
    source('covid_19', 'cxr-covid19'),
  ]
  return {
    origin: 'real',
    sources,
    judges: sources,
    about: `the real sample files of ${folder}; so few that they train and judge: this shows that it learns, not that it generalises`,
  }
}

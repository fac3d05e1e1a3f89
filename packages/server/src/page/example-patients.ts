import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { findDataset, synthesise, type Domain } from '@qoq-med/data-climb'
import { z } from 'zod'
import type { MediaFile } from '../media/decoded-media.ts'

/** A simulated patient to try the server on. */
export interface ExamplePatient {
  readonly id: string
  readonly title: string
  readonly domain: Domain
  /** The dataset whose labels and question fit. */
  readonly dataset: string
  /** True labels, as the simulator made them. */
  readonly labels: readonly string[]
  readonly files: readonly Omit<MediaFile, 'place'>[]
}

const Row = z.object({ key: z.string(), labels: z.array(z.string()), file: z.string(), findings: z.array(z.unknown()) })
type Row = z.infer<typeof Row>

const domains = ['chest_xray', 'ecg', 'mammography', 'ct', 'dermoscopy', 'fundus', 'mri', 'pathology'] as const
/** Samples of a domain among which one with a finding is looked for. */
const samplesPerDomain = 4

/** Simulates a patient of each domain of the mini clinic; nothing is left on disk. */
export async function examplePatients(): Promise<readonly ExamplePatient[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'qoq-examples-'))
  const dir = path.join(folder, 'clinic')
  try {
    const size = domains.length * samplesPerDomain
    await synthesise({ dir, seed: 7, size, preset: 'balanced', difficulty: 'easy', domains })
    return await Promise.all(domains.map(async domain => readExample(path.join(dir, domain), domain)))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function readExample(folder: string, domain: Domain): Promise<ExamplePatient> {
  const lines = (await readFile(path.join(folder, 'index.jsonl'), 'utf8')).split('\n').filter(line => line !== '')
  const rows = lines.map(line => Row.parse(JSON.parse(line)))
  const dataset = findDataset(`mini_clinic_${domain}`)
  const isIll = ({ labels }: Row): boolean => !labels.some(label => dataset.negativeLabels?.includes(label) ?? false)
  const row = rows.find(isIll) ?? rows[0]! // every domain has samples
  const parent = path.join(folder, path.dirname(row.file))
  const stem = path.basename(row.file).split('.')[0] ?? ''
  const names = (await readdir(parent)).filter(name => name.split('.')[0] === stem)
  const files = await Promise.all(names.map(async name => ({ name, bytes: await readFile(path.join(parent, name)) })))
  return { id: domain, title: dataset.title, domain, dataset: dataset.id, labels: row.labels, files }
}

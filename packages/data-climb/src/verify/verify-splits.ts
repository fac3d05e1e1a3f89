import { contentHash } from '../media/content-hash.ts'
import type { Sample, Split } from '../sample/sample.ts'

/** What is wrong with a split, without patient ids: groups are named by their samples. */
export interface SplitReport {
  readonly samples: Readonly<Record<Split, number>>
  /** Samples of one patient that are in several parts, one group per patient. */
  readonly leakingPatients: readonly (readonly string[])[]
  /** Samples with an identical file (SHA-256) that are in several parts, one group per content. */
  readonly leakingFiles: readonly (readonly string[])[]
  /** Samples whose files are copies of each other (SHA-256) within one part; patches of one file are none. */
  readonly duplicates: readonly (readonly string[])[]
  /** Samples with an identical file, in any part, whose answers differ. */
  readonly contradictions: readonly (readonly string[])[]
  /** How often each label is true in each part. */
  readonly labelCounts: Readonly<Record<Split, Readonly<Record<string, number>>>>
  /** Whether no patient and no file is in two parts. */
  readonly isClean: boolean
}

/**
 * Proves that no patient and no identical file is in two parts, and counts labels.
 *
 * @param samples of one dataset or of several
 */
export async function verifySplits(samples: readonly Sample[]): Promise<SplitReport> {
  const byPatient = groupBy(samples, ({ dataset, patientId }) => `${dataset}|${patientId}`)
  const byContent = await groupByContent(samples)
  const leakingPatients = [...byPatient.values()].filter(isSpread).map(idsOf)
  const leakingFiles = byContent.filter(isSpread).map(idsOf)
  return {
    samples: perSplit(split => samples.filter(sample => sample.split === split).length),
    leakingPatients,
    leakingFiles,
    duplicates: byContent.filter(group => !isSpread(group) && areCopies(group)).map(idsOf),
    contradictions: byContent.filter(group => areCopies(group) && areAnsweredDifferently(group)).map(idsOf),
    labelCounts: perSplit(split => countLabels(samples.filter(sample => sample.split === split))),
    isClean: leakingPatients.length === 0 && leakingFiles.length === 0,
  }
}

/** Groups of two or more samples that share the content of a file. */
async function groupByContent(samples: readonly Sample[]): Promise<Sample[][]> {
  const hashes = new Map<string, string>()
  for (const file of new Set(samples.flatMap(sample => sample.files))) hashes.set(file, await contentHash(file))
  const pairs = samples.flatMap(sample =>
    [...new Set(sample.files.map(file => hashes.get(file) ?? ''))].map(hash => ({ sample, hash })),
  )
  return [...Map.groupBy(pairs, ({ hash }) => hash).values()]
    .map(group => group.map(({ sample }) => sample))
    .filter(group => group.length > 1)
}

/** Patches of one slide name the same file; copies are other files with the same bytes, or the file of another patient. */
function areCopies(group: readonly Sample[]): boolean {
  return new Set(group.map(sample => [sample.patientId, ...sample.files].join('\n'))).size > 1
}

function areAnsweredDifferently(group: readonly Sample[]): boolean {
  return new Set(group.map(sample => sample.answer.join('\n'))).size > 1
}

function groupBy(samples: readonly Sample[], keyOf: (sample: Sample) => string): Map<string, Sample[]> {
  return Map.groupBy(samples, keyOf)
}

function isSpread(group: readonly Sample[]): boolean {
  return new Set(group.map(sample => sample.split)).size > 1
}

function idsOf(group: readonly Sample[]): string[] {
  return group.map(sample => sample.id)
}

function perSplit<Value>(valueOf: (split: Split) => Value): Record<Split, Value> {
  return { train: valueOf('train'), valid: valueOf('valid'), test: valueOf('test') }
}

function countLabels(samples: readonly Sample[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const label of samples.flatMap(sample => sample.answer)) counts[label] = (counts[label] ?? 0) + 1
  return counts
}

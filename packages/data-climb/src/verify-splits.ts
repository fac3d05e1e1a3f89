import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import path from 'node:path'
import type { Sample, Split } from './sample.ts'
import { readWfdbHeader } from './wfdb-file.ts'
import { signalFileBytes } from './wfdb/signal-files.ts'

/** What is wrong with a split, without patient ids: groups are named by their samples. */
export interface SplitReport {
  readonly samples: Readonly<Record<Split, number>>
  /** Samples of one patient that are in several parts, one group per patient. */
  readonly leakingPatients: readonly (readonly string[])[]
  /** Samples with an identical file (SHA-256) that are in several parts, one group per content. */
  readonly leakingFiles: readonly (readonly string[])[]
  /** Samples with an identical file within one part. */
  readonly duplicates: readonly (readonly string[])[]
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
  const hashes = new Map<string, string>()
  for (const file of new Set(samples.flatMap(sample => sample.files))) hashes.set(file, await sha256OfFile(file))
  const pairs = samples.flatMap(sample =>
    [...new Set(sample.files.map(file => hashes.get(file) ?? ''))].map(hash => ({ sample, hash })),
  )
  const byContent = [...Map.groupBy(pairs, ({ hash }) => hash).values()]
    .map(group => group.map(({ sample }) => sample))
    .filter(group => group.length > 1)
  const leakingPatients = [...byPatient.values()].filter(isSpread).map(idsOf)
  const leakingFiles = byContent.filter(isSpread).map(idsOf)
  return {
    samples: perSplit(split => samples.filter(sample => sample.split === split).length),
    leakingPatients,
    leakingFiles,
    duplicates: byContent.filter(group => !isSpread(group)).map(idsOf),
    labelCounts: perSplit(split => countLabels(samples.filter(sample => sample.split === split))),
    isClean: leakingPatients.length === 0 && leakingFiles.length === 0,
  }
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

/** Hash of a file, read in pieces. Of an ECG record the signal files are hashed: its header carries its name. */
async function sha256OfFile(file: string): Promise<string> {
  const isRecord = file.endsWith('.hea')
  const names = isRecord ? [...signalFileBytes(await readWfdbHeader(file)).keys()] : []
  const parts = isRecord ? names.map(name => path.join(path.dirname(file), name)) : [file]
  const hash = createHash('sha256')
  for (const part of parts) for await (const chunk of createReadStream(part)) hash.update(chunk as Buffer) // a stream without encoding gives buffers
  return hash.digest('hex')
}

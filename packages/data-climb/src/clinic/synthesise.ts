import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { dataErrors } from '../errors.ts'
import type { Domain } from '../sample/sample.ts'
import type { SampleForm } from '../sample/short-form.ts'
import { allClinicDomains, clinicDomains } from './clinic-domains.ts'
import type { ClinicDomain } from './clinic-domain.ts'
import { difficulties, type ClinicDifficulty } from './clinic-difficulty.ts'
import { planDomain, shareAmongDomains, type ClinicPreset } from './clinic-plan.ts'
import { clinicFolders, writeView, type ClinicRow } from './write-clinic.ts'

/** Options of `synthesise`. */
export interface SynthesiseOptions {
  /** Folder to make; one that holds a clinic already is replaced, any other must be empty or absent. */
  readonly dir: string
  readonly seed: number
  /** Number of samples over all domains. */
  readonly size: number
  readonly preset?: ClinicPreset
  readonly difficulty?: ClinicDifficulty
  /** How samples ask and answer; default `full`. */
  readonly answers?: SampleForm
  /** The domains to make; by default all with one kind of media, so not `multimodal`. */
  readonly domains?: readonly Domain[]
}

/** What was made. */
export interface SynthesisReport {
  readonly dir: string
  /** Samples per domain. */
  readonly samples: Readonly<Partial<Record<Domain, number>>>
}

/** The file that tells a clinic from any other folder. */
const clinicManifest = 'clinic.json'

const notice =
  'Simulated by the QoQ-Med mini clinic. Nothing here comes from a patient, and nothing here may be used for diagnosis.\n'
/** Samples made at a time: picture encoding runs in other threads. */
const batchSize = 8

/**
 * Makes the mini clinic: simulated recordings and pictures with known truth, in files that the readers read back. The
 * same options give the same bytes.
 *
 * @throws DATA_OPTION_INVALID when the size, the seed or a domain is unusable
 * @throws DATA_OUTPUT_EXISTS when `dir` holds something other than a clinic
 */
export async function synthesise(options: SynthesiseOptions): Promise<SynthesisReport> {
  const { dir, seed, size, preset = 'imbalanced', difficulty = 'medium', answers = 'full' } = options
  const domains = domainsOf(options.domains)
  checkOptions({ seed, size, difficulty, least: domains.length })
  await refuseForeignFolder(dir)
  const partial = `${path.resolve(dir)}.partial`
  await rm(partial, { recursive: true, force: true })
  const counts = shareAmongDomains(size, domains, preset)
  for (const [i, domain] of domains.entries())
    await writeDomain(domain, { partial, count: counts[i] ?? 1, seed, difficulty, form: answers })
  const samples = Object.fromEntries(domains.map(({ domain }, i) => [domain, counts[i] ?? 1]))
  await writeFile(path.join(partial, 'README.txt'), notice)
  await writeFile(
    path.join(partial, clinicManifest),
    `${JSON.stringify({ simulated: true, notice: notice.trim(), version: 3, seed, size, preset, difficulty, answers, samples }, null, 2)}\n`,
  )
  await rm(dir, { recursive: true, force: true })
  await rename(partial, dir)
  return { dir, samples }
}

function domainsOf(wanted: readonly Domain[] | undefined): readonly ClinicDomain[] {
  if (wanted === undefined) return clinicDomains
  const known = allClinicDomains.map(({ domain }) => domain)
  const unknown = wanted.find(domain => !known.includes(domain))
  if (unknown !== undefined || wanted.length === 0)
    throw dataErrors.OPTION_INVALID({
      name: 'domains',
      value: wanted.join(', '),
      range: `one or more of ${known.join(', ')}`,
    })
  return allClinicDomains.filter(({ domain }) => wanted.includes(domain))
}

function checkOptions({
  seed,
  size,
  difficulty,
  least,
}: {
  seed: number
  size: number
  difficulty: string
  least: number
}): void {
  if (!Number.isSafeInteger(seed))
    throw dataErrors.OPTION_INVALID({ name: 'seed', value: String(seed), range: 'a whole number' })
  if (!Number.isSafeInteger(size) || size < least || size > 1_000_000)
    throw dataErrors.OPTION_INVALID({
      name: 'size',
      value: String(size),
      range: `a whole number from ${least} (one per domain) to 1,000,000`,
    })
  if (!Object.hasOwn(difficulties, difficulty))
    throw dataErrors.OPTION_INVALID({
      name: 'difficulty',
      value: difficulty,
      range: `one of ${Object.keys(difficulties).join(', ')}`,
    })
}

async function refuseForeignFolder(dir: string): Promise<void> {
  const names = await readdir(dir).catch(() => [])
  if (names.length === 0) return
  const manifest = await readFile(path.join(dir, clinicManifest), 'utf8').catch(() => '')
  if (!manifest.includes('"simulated": true')) throw dataErrors.OUTPUT_EXISTS({ dir })
}

interface DomainJob {
  readonly partial: string
  readonly count: number
  readonly seed: number
  readonly difficulty: ClinicDifficulty
  readonly form: SampleForm
}

async function writeDomain(domain: ClinicDomain, { partial, count, seed, difficulty, form }: DomainJob): Promise<void> {
  const folder = path.join(partial, domain.domain)
  for (const name of clinicFolders[domain.type]) await mkdir(path.join(folder, name), { recursive: true })
  const views = planDomain(domain, count, seed)
  const rows: ClinicRow[] = []
  for (let start = 0; start < views.length; start += batchSize) {
    const batch = views.slice(start, start + batchSize)
    rows.push(...(await Promise.all(batch.map(view => writeView(domain, view, { folder, seed, difficulty, form })))))
  }
  await writeFile(path.join(folder, 'index.jsonl'), rows.map(row => `${JSON.stringify(row)}\n`).join(''))
}

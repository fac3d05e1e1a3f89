import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { defaultClinicDomains, synthesise } from '@qoq-med/data-climb'
import { z } from 'zod'
import type { TrainConfig } from '../config/run-config.ts'
import { trainerErrors } from '../errors.ts'
import { jsonOrNothing } from './json-or-nothing.ts'

const Manifest = z.object({
  seed: z.number(),
  size: z.number(),
  difficulty: z.string(),
  answers: z.string().default('full'),
  preset: z.string(),
  samples: z.record(z.string(), z.number()),
})

/**
 * Simulates the clinic of a configuration where it is not there yet.
 *
 * @throws TRAINER_CONFIG_FIELD when a clinic is there that was made otherwise, and the DATA errors of `synthesise`
 */
export async function makeClinic({ data: { clinic } }: Pick<TrainConfig, 'data'>, baseFolder: string): Promise<void> {
  if (clinic === undefined) return
  const { domains, ...options } = clinic
  const dir = resolve(baseFolder, clinic.dir)
  const text = await readFile(join(dir, 'clinic.json'), 'utf8').catch(() => undefined)
  if (text === undefined) {
    await synthesise({ ...options, ...(domains && { domains }), dir })
    return
  }
  const made = Manifest.safeParse(jsonOrNothing(text)).data
  const isSame =
    made?.seed === clinic.seed &&
    made.size === clinic.size &&
    made.difficulty === clinic.difficulty &&
    made.answers === clinic.answers &&
    made.preset === clinic.preset &&
    // The size is shared among the domains: with one more, each has fewer samples.
    isSameSet(Object.keys(made.samples), domains ?? defaultClinicDomains)
  if (isSame) return
  const reason = `the clinic in ${dir} was made with other settings; name another folder, or remove that one`
  throw trainerErrors.CONFIG_FIELD({ field: 'data.clinic', reason })
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.every(one => b.includes(one)) && b.every(one => a.includes(one))
}

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { trainerErrors } from '../errors.ts'

const RunFacts = z.looseObject({
  name: z.string(),
  /** What relative paths of the configuration start from. */
  baseFolder: z.string(),
})

/** What run.json says of a run. */
export type RunFactsRecord = z.output<typeof RunFacts>

/** Reads run.json. @throws TRAINER_NO_RUN when the folder holds no run */
export async function requireRun(runFolder: string): Promise<RunFactsRecord> {
  try {
    return RunFacts.parse(JSON.parse(await readFile(join(runFolder, 'run.json'), 'utf8')))
  } catch (cause) {
    throw trainerErrors.NO_RUN({ folder: runFolder }, { cause })
  }
}

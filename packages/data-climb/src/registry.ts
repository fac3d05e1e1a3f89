import { brainTumor } from './datasets/brain-tumor.ts'
import { coronahack } from './datasets/coronahack.ts'
import { covid19 } from './datasets/covid-19.ts'
import { georgia } from './datasets/challenge-ecg.ts'
import { miniClinic } from './datasets/mini-clinic.ts'
import { ptbXl } from './datasets/ptb-xl.ts'
import type { DatasetDefinition } from './dataset.ts'
import { dataErrors } from './errors.ts'

const definitions: readonly DatasetDefinition[] = [ptbXl, georgia, covid19, coronahack, brainTumor, ...miniClinic]

/** Every dataset that can be opened, the real ones in the order of the paper's table 5. */
export function listDatasets(): readonly DatasetDefinition[] {
  return definitions
}

/**
 * Finds a dataset by id.
 *
 * @throws DATA_DATASET_UNKNOWN, with the nearest id as a hint
 */
export function findDataset(id: string): DatasetDefinition {
  const found = definitions.find(definition => definition.id === id)
  if (!found) throw dataErrors.DATASET_UNKNOWN({ id, known: definitions.map(definition => definition.id) })
  return found
}

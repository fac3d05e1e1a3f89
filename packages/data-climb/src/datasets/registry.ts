import { bcss } from './bcss.ts'
import { brainTumor } from './brain-tumor.ts'
import { brainTumor2 } from './brain-tumor-2.ts'
import { chapmanShaoxing, cpsc, georgia } from './challenge-ecg.ts'
import { chexpert, mimicCxr, vindrCxr } from './chest-xray-sets.ts'
import { cmmd } from './cmmd.ts'
import { coronahack } from './coronahack.ts'
import { covid19 } from './covid-19.ts'
import { hemorrhage, inspect, kits23, rspect } from './ct-sets.ts'
import { ham10000, isic2020, padUfes20 } from './dermatology-sets.ts'
import { aptos2019, jichi, messidor2 } from './fundus-sets.ts'
import { lc25000 } from './lc25000.ts'
import { cbisDdsm, vindrMammo } from './mammography-sets.ts'
import { lndb } from './lndb.ts'
import { mimicIv48Ihm, mimicIvLos } from './mimic-iv.ts'
import { miniClinic } from './mini-clinic.ts'
import { ptbXl } from './ptb-xl.ts'
import { busi, covidBlues, covidUs } from './ultrasound-sets.ts'
import type { DatasetDefinition } from '../dataset/dataset.ts'
import { dataErrors } from '../errors.ts'

const definitions: readonly DatasetDefinition[] = [
  ptbXl,
  chapmanShaoxing,
  georgia,
  cpsc,
  chexpert,
  mimicCxr,
  vindrCxr,
  covid19,
  coronahack,
  vindrMammo,
  cbisDdsm,
  cmmd,
  isic2020,
  ham10000,
  padUfes20,
  messidor2,
  aptos2019,
  jichi,
  lndb,
  inspect,
  kits23,
  hemorrhage,
  rspect,
  busi,
  covidBlues,
  covidUs,
  brainTumor,
  brainTumor2,
  lc25000,
  bcss,
  mimicIvLos,
  mimicIv48Ihm,
  ...miniClinic,
]

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

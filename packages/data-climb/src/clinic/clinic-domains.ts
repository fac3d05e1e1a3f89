import { brainMri } from './brain-mri.ts'
import { chestXray } from './chest-xray.ts'
import type { ClinicDomain } from './clinic-domain.ts'
import { breastUltrasound } from './breast-ultrasound.ts'
import { dermoscopy } from './dermoscopy.ts'
import { ecgClinic } from './ecg-clinic.ts'
import { headCt } from './head-ct.ts'
import { fundus } from './fundus.ts'
import { mammography } from './mammography.ts'
import { pathology } from './pathology.ts'

/** The domains of the mini clinic, in the order in which they are made. */
export const clinicDomains: readonly ClinicDomain[] = [
  ecgClinic,
  chestXray,
  headCt,
  mammography,
  dermoscopy,
  fundus,
  brainMri,
  pathology,
  breastUltrasound,
]

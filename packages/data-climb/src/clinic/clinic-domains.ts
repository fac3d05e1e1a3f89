import { brainMri } from './brain-mri.ts'
import { chestXray } from './chest-xray.ts'
import type { Domain } from '../sample/sample.ts'
import type { ClinicDomain } from './clinic-domain.ts'
import { breastUltrasound } from './breast-ultrasound.ts'
import { dermoscopy } from './dermoscopy.ts'
import { ecgClinic } from './ecg-clinic.ts'
import { headCt } from './head-ct.ts'
import { fundus } from './fundus.ts'
import { mammography } from './mammography.ts'
import { multimodalClinic } from './multimodal-clinic.ts'
import { pathology } from './pathology.ts'

/** The domains of the mini clinic that are made unless others are named, in their order. */
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

/** Every domain that can be made; the last is made where it is named. */
export const allClinicDomains: readonly ClinicDomain[] = [...clinicDomains, multimodalClinic]

/** Names of the domains that are made unless others are named. */
export const defaultClinicDomains: readonly Domain[] = clinicDomains.map(({ domain }) => domain)

import { brainMri } from './brain-mri.ts'
import { chestXray } from './chest-xray.ts'
import type { ClinicDomain } from './clinic-domain.ts'
import { ecgClinic } from './ecg-clinic.ts'

/** The domains of the mini clinic, in the order in which they are made. */
export const clinicDomains: readonly ClinicDomain[] = [ecgClinic, chestXray, brainMri]

import type { DataSet } from 'dicom-parser'
import { elementOf } from './dicom-values.ts'

/** Attributes that tell who a patient is, or lead to it, by tag: of the basic confidentiality profile (PS3.15 table E.1-1) those that a file most often has. */
const names: Readonly<Record<string, string>> = {
  x00080012: 'InstanceCreationDate',
  x00080020: 'StudyDate',
  x00080021: 'SeriesDate',
  x00080022: 'AcquisitionDate',
  x00080023: 'ContentDate',
  x0008002a: 'AcquisitionDateTime',
  x00080030: 'StudyTime',
  x00080050: 'AccessionNumber',
  x00080080: 'InstitutionName',
  x00080081: 'InstitutionAddress',
  x00080090: 'ReferringPhysicianName',
  x00081010: 'StationName',
  x00081030: 'StudyDescription',
  x0008103e: 'SeriesDescription',
  x00081040: 'InstitutionalDepartmentName',
  x00081048: 'PhysiciansOfRecord',
  x00081050: 'PerformingPhysicianName',
  x00081060: 'NameOfPhysiciansReadingStudy',
  x00081070: 'OperatorsName',
  x00081080: 'AdmittingDiagnosesDescription',
  x00084000: 'IdentifyingComments',
  x00100010: 'PatientName',
  x00100020: 'PatientID',
  x00100021: 'IssuerOfPatientID',
  x00100030: 'PatientBirthDate',
  x00100032: 'PatientBirthTime',
  x00100040: 'PatientSex',
  x00100050: 'PatientInsurancePlanCodeSequence',
  x00101000: 'OtherPatientIDs',
  x00101001: 'OtherPatientNames',
  x00101002: 'OtherPatientIDsSequence',
  x00101005: 'PatientBirthName',
  x00101010: 'PatientAge',
  x00101020: 'PatientSize',
  x00101030: 'PatientWeight',
  x00101040: 'PatientAddress',
  x00101060: 'PatientMotherBirthName',
  x00101080: 'MilitaryRank',
  x00101090: 'MedicalRecordLocator',
  x00102000: 'MedicalAlerts',
  x00102110: 'Allergies',
  x00102150: 'CountryOfResidence',
  x00102154: 'PatientTelephoneNumbers',
  x00102160: 'EthnicGroup',
  x00102180: 'Occupation',
  x001021a0: 'SmokingStatus',
  x001021b0: 'AdditionalPatientHistory',
  x001021c0: 'PregnancyStatus',
  x001021f0: 'PatientReligiousPreference',
  x00104000: 'PatientComments',
  x00181000: 'DeviceSerialNumber',
  x00181030: 'ProtocolName',
  x00200010: 'StudyID',
  x00204000: 'ImageComments',
  x00321032: 'RequestingPhysician',
  x00321060: 'RequestedProcedureDescription',
  x00380010: 'AdmissionID',
  x00380500: 'PatientState',
  x00400006: 'ScheduledPerformingPhysicianName',
  x0040a123: 'PersonName',
}

/** Sequences are followed to this depth. */
const maxDepth = 8

/**
 * Names what a file says of its patient, in the order of the tags, without a value: attributes that are there and not empty, also
 * inside sequences, and whether private attributes are there, of which nobody knows.
 */
export function patientFields(dataSet: DataSet): string[] {
  const found = new Set<string>()
  collect(dataSet, found, 0)
  const known = Object.entries(names).flatMap(([tag, name]) => (found.has(tag) ? [name] : []))
  return found.has('private') ? [...known, 'private attributes'] : known
}

function collect(dataSet: DataSet, found: Set<string>, depth: number): void {
  for (const tag of Object.keys(dataSet.elements)) {
    const element = elementOf(dataSet, tag)
    if (!element || element.length === 0) continue
    if (Object.hasOwn(names, tag)) found.add(tag)
    // Groups of an odd number are private (PS3.5 7.8).
    if (Number.parseInt(tag.slice(1, 5), 16) % 2 === 1) found.add('private')
    if (depth < maxDepth)
      for (const item of element.items ?? []) if (item.dataSet) collect(item.dataSet, found, depth + 1)
  }
}

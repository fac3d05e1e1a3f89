import { parseDicomFile } from '../dicom/dicom-file.ts'
import { patientFields } from '../dicom/patient-fields.ts'
import type { StoredEcgFile } from '../ecg-files/read-ecg.ts'
import { scpSections } from '../ecg-files/scp-sections.ts'
import { parseXml, type XmlElement } from '../ecg-files/xml-tree.ts'

/** Elements of GE MUSE, Philips Sierra and HL7 aECG files that tell who a patient is, in lower case, by what they say. */
const xmlFields: Readonly<Record<string, string>> = {
  patientid: 'patient id',
  mrn: 'patient id',
  uniquepatientid: 'patient id',
  patientlastname: 'name',
  patientfirstname: 'name',
  patientmiddlename: 'name',
  lastname: 'name',
  firstname: 'name',
  middlename: 'name',
  family: 'name',
  given: 'name',
  name: 'name',
  dateofbirth: 'birth date',
  birthtime: 'birth date',
  patientage: 'age',
  age: 'age',
  years: 'age',
  gender: 'sex',
  sex: 'sex',
  administrativegendercode: 'sex',
  race: 'race',
  racecode: 'race',
  subjectid: 'patient id',
  acquisitiondate: 'date of recording',
  date: 'date of recording',
  effectivetime: 'date of recording',
  locationname: 'place',
  sitename: 'place',
  institutionname: 'place',
  facility: 'place',
  overreaderlastname: 'physician or staff',
  overreaderfirstname: 'physician or staff',
  referringmdlastname: 'physician or staff',
  referringmdfirstname: 'physician or staff',
  acquisitiontechlastname: 'physician or staff',
  orderingmdlastname: 'physician or staff',
  diagnosisstatement: 'diagnosis',
  stmttext: 'diagnosis',
}

/** Fields of the first section of an SCP-ECG file (EN 1064 5.4.3) that tell who a patient is. */
const scpFields: Readonly<Record<number, string>> = {
  0: 'name',
  1: 'name',
  2: 'patient id',
  3: 'name',
  4: 'age',
  5: 'birth date',
  8: 'sex',
  9: 'race',
  13: 'diagnosis',
  16: 'place',
  20: 'physician or staff',
  21: 'physician or staff',
  22: 'physician or staff',
  25: 'date of recording',
  30: 'free text',
  35: 'free text',
}

/** Names what an electrocardiogram in one file says of its patient, without a value. */
export function ecgPatientFields(bytes: Uint8Array, format: StoredEcgFile['format']): string[] {
  if (format === 'dicom-ecg') return patientFields(parseDicomFile(bytes).dataSet)
  if (format === 'scp-ecg') return scpPatientFields(bytes)
  if (format === 'ecg-csv' || format === 'wfdb') return []
  const found = new Set<string>()
  collect(parseXml(bytes), found)
  return [...found].toSorted()
}

function collect(element: XmlElement, found: Set<string>): void {
  const name = element.name.toLowerCase()
  const field = Object.hasOwn(xmlFields, name) ? xmlFields[name] : undefined
  const isFilled = element.text.trim() !== '' || [...element.attributes.values()].some(value => value.trim() !== '')
  if (field !== undefined && isFilled) found.add(field)
  for (const child of element.children) collect(child, found)
}

const endOfFields = 255

/** A field is its number, its length in two bytes, and its value. */
function scpPatientFields(bytes: Uint8Array): string[] {
  const section = scpSections(bytes).sections.get(1) ?? new DataView(new ArrayBuffer(0))
  const found = new Set<string>()
  let at = 0
  while (at + 3 <= section.byteLength && section.getUint8(at) !== endOfFields) {
    const [tag, length] = [section.getUint8(at), section.getUint16(at + 1, true)]
    const name = Object.hasOwn(scpFields, tag) ? scpFields[tag] : undefined
    if (name !== undefined && length > 0) found.add(name)
    at += 3 + length
  }
  return [...found].toSorted()
}

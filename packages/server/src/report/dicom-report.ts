import { dicomUid, encodeDicomFile, type DicomElement, type DicomReference } from '@qoq-med/data-climb'
import type { Diagnosis, ShownPicture } from '../diagnose/diagnose.ts'
import { serverErrors } from '../errors.ts'
import { researchNotice } from '../research-notice.ts'
import { codeItem, containerElements } from './content-items.ts'
import { measurementReport, type ReportedPicture } from './measurement-report.ts'

const comprehensiveSr = '1.2.840.10008.5.1.4.1.1.88.33'
const manufacturer = 'QoQ-Med'

/**
 * Writes a diagnosis as a DICOM structured report (Comprehensive SR, TID 1500): every box is a planar region with SCOORD
 * coordinates on the instance that was sent. The report joins the study of the instances and is preliminary and unverified.
 *
 * @param at when it is written
 * @returns the bytes of a file
 * @throws SERVER_REPORT_SOURCE when a picture is no DICOM instance, or the instances are of several studies
 */
export function dicomReport(diagnosis: Diagnosis, at: Date): Uint8Array {
  const pictures = reportedPictures(diagnosis.pictures)
  const sources = [...new Map(pictures.map(({ reference }) => [reference.sopInstanceUid, reference])).values()]
  const [first] = sources
  if (!first) throw serverErrors.REPORT_SOURCE({ problem: 'no DICOM picture was sent' })
  if (sources.some(({ studyInstanceUid }) => studyInstanceUid !== first.studyInstanceUid))
    throw serverErrors.REPORT_SOURCE({ problem: 'the instances are of several studies' })
  const sopInstanceUid = dicomUid(`${diagnosis.id} report`)
  const elements: DicomElement[] = [
    ...documentElements(diagnosis, { first, sopInstanceUid, at }),
    [0x0040a375, 'SQ', [evidence(first.studyInstanceUid, sources)]],
    [0x0040a040, 'CS', 'CONTAINER'],
    [0x0040a043, 'SQ', [codeItem(['126000', 'DCM', 'Imaging Measurement Report'])]],
    ...containerElements(measurementReport(diagnosis, pictures), '1500'),
  ]
  const implementationUid = dicomUid('qoq-med server')
  return encodeDicomFile(elements, { sopClassUid: comprehensiveSr, sopInstanceUid, implementationUid })
}

function reportedPictures(pictures: readonly ShownPicture[]): ReportedPicture[] {
  return pictures.map(({ reference, frame }) => {
    if (!reference) throw serverErrors.REPORT_SOURCE({ problem: 'a picture is no DICOM instance with identifiers' })
    return { reference: reference.reveal(), frame }
  })
}

interface DocumentFacts {
  readonly first: DicomReference
  readonly sopInstanceUid: string
  readonly at: Date
}

/** Patient, study, series, equipment and document modules (PS3.3 A.35.3). */
function documentElements({ id, model }: Diagnosis, { first, sopInstanceUid, at }: DocumentFacts): DicomElement[] {
  const [date = '', time = ''] = at.toISOString().replaceAll(/[-:]/g, '').split('T')
  const repeated = [...first.attributes].map(([tag, text]): DicomElement => [tag, vrOf(tag), text])
  return [
    ...repeated,
    [0x00080005, 'CS', 'ISO_IR 192'],
    [0x00080016, 'UI', comprehensiveSr],
    [0x00080018, 'UI', sopInstanceUid],
    [0x00080023, 'DA', date],
    [0x00080033, 'TM', time.slice(0, 6)],
    [0x00080060, 'CS', 'SR'],
    [0x00080070, 'LO', manufacturer],
    [0x0008103e, 'LO', researchNotice],
    [0x00081090, 'LO', model.slice(0, 64)],
    [0x00081111, 'SQ', []],
    [0x0020000d, 'UI', first.studyInstanceUid],
    [0x0020000e, 'UI', dicomUid(`${id} series`)],
    [0x00200011, 'IS', '1'],
    [0x00200013, 'IS', '1'],
    [0x0040a372, 'SQ', []],
    [0x0040a491, 'CS', 'PARTIAL'],
    [0x0040a493, 'CS', 'UNVERIFIED'],
    [0x0040a496, 'CS', 'PRELIMINARY'],
  ]
}

/** Representations of the attributes that a report repeats. */
const representations: ReadonlyMap<number, string> = new Map([
  [0x00080020, 'DA'],
  [0x00080030, 'TM'],
  [0x00080050, 'SH'],
  [0x00080090, 'PN'],
  [0x00100010, 'PN'],
  [0x00100020, 'LO'],
  [0x00100030, 'DA'],
  [0x00100040, 'CS'],
  [0x00200010, 'SH'],
])

function vrOf(tag: number): string {
  return representations.get(tag) ?? 'LO'
}

/** The instances that were looked at, by series. */
function evidence(studyInstanceUid: string, sources: readonly DicomReference[]): DicomElement[] {
  const series = Map.groupBy(sources, source => source.seriesInstanceUid)
  const items = [...series].map(([uid, instances]): DicomElement[] => [
    [0x0020000e, 'UI', uid],
    [0x00081199, 'SQ', instances.map(instance => instanceItem(instance))],
  ])
  return [
    [0x0020000d, 'UI', studyInstanceUid],
    [0x00081115, 'SQ', items],
  ]
}

/** A reference to an instance, or to a frame of it. */
function instanceItem({ sopClassUid, sopInstanceUid }: DicomReference): DicomElement[] {
  return [
    [0x00081150, 'UI', sopClassUid],
    [0x00081155, 'UI', sopInstanceUid],
  ]
}

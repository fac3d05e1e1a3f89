import { dicomUid, type DicomElement, type DicomReference } from '@qoq-med/data-climb'
import type { Diagnosis } from '../diagnose/diagnose.ts'
import type { StoredBox } from '../diagnose/stored-boxes.ts'
import { researchNotice } from '../research-notice.ts'
import { codedItem, containerElements, contentItem, textItem, uidItem, type Code } from './content-items.ts'
import { ownCode, snomedConcept } from './label-codes.ts'

/** A picture of a report: its instance, and the frame of it, from 1, where the instance has several. */
export interface ReportedPicture {
  readonly reference: DicomReference
  readonly frame: number | undefined
}

const finding: Code = ['121071', 'DCM', 'Finding']

/** The content of TID 1500: language, the device that observed, the procedure, regions, and the labels as evaluations. */
export function measurementReport(diagnosis: Diagnosis, pictures: readonly ReportedPicture[]): DicomElement[][] {
  const { boxes, id, model } = diagnosis
  const groups = boxes.map((box, index) => regionGroup(box, { id, index, picture: pictures[box.picture]! })) // boxes lie in pictures
  return [
    codedItem(
      'HAS CONCEPT MOD',
      ['121049', 'DCM', 'Language of Content Item and Descendants'],
      ['en', 'RFC5646', 'English'],
    ),
    codedItem('HAS OBS CONTEXT', ['121005', 'DCM', 'Observer Type'], ['121007', 'DCM', 'Device']),
    uidItem('HAS OBS CONTEXT', ['121012', 'DCM', 'Device Observer UID'], dicomUid(`qoq-med model ${model}`)),
    textItem('HAS OBS CONTEXT', ['121013', 'DCM', 'Device Observer Name'], model),
    textItem('HAS OBS CONTEXT', ['121014', 'DCM', 'Device Observer Manufacturer'], 'QoQ-Med'),
    codedItem('HAS CONCEPT MOD', ['121058', 'DCM', 'Procedure reported'], ['363679005', 'SCT', 'Imaging procedure']),
    contentItem('CONTAINER', 'CONTAINS', {
      name: ['126010', 'DCM', 'Imaging Measurements'],
      elements: containerElements(groups),
    }),
    contentItem('CONTAINER', 'CONTAINS', {
      name: ['C0034375', 'UMLS', 'Qualitative Evaluations'],
      elements: containerElements(evaluations(diagnosis)),
    }),
  ]
}

/** A planar region (TID 1410): a closed line around the box, on the instance in which it lies. */
function regionGroup(
  { label, x1, y1, x2, y2 }: StoredBox,
  { id, index, picture }: { readonly id: string; readonly index: number; readonly picture: ReportedPicture },
): DicomElement[] {
  const { reference, frame } = picture
  const image: DicomElement[] = [
    [0x00081150, 'UI', reference.sopClassUid],
    [0x00081155, 'UI', reference.sopInstanceUid],
    ...(frame === undefined ? [] : ([[0x00081160, 'IS', String(frame)]] as const)),
  ]
  const region: DicomElement[] = [
    [0x00700022, 'FL', Float32Array.of(x1, y1, x2, y1, x2, y2, x1, y2, x1, y1)],
    [0x00700023, 'CS', 'POLYLINE'],
    [0x0040a730, 'SQ', [contentItem('IMAGE', 'SELECTED FROM', { elements: [[0x00081199, 'SQ', [image]]] })]],
  ]
  const items = [
    textItem('HAS OBS CONTEXT', ['112039', 'DCM', 'Tracking Identifier'], `Box ${index + 1}`),
    uidItem('HAS OBS CONTEXT', ['112040', 'DCM', 'Tracking Unique Identifier'], dicomUid(`${id} box ${index}`)),
    codedItem('CONTAINS', finding, labelCode(label ?? 'unnamed')),
    contentItem('SCOORD', 'CONTAINS', { name: ['111030', 'DCM', 'Image Region'], elements: region }),
  ]
  return contentItem('CONTAINER', 'CONTAINS', {
    name: ['125007', 'DCM', 'Measurement Group'],
    elements: containerElements(items, '1410'),
  })
}

function evaluations({ parsed, probabilities = {} }: Diagnosis): DicomElement[][] {
  const shares = Object.entries(probabilities).map(([label, share]) => `${label}: ${share.toFixed(3)}`)
  const answer = parsed.labels.length > 0 ? parsed.labels.join(', ') : (parsed.answer ?? 'none')
  const words = [
    `Answer: ${answer}`,
    ...(shares.length > 0 ? [`Probabilities: ${shares.join(', ')}`] : []),
    `${researchNotice}.`,
  ]
  return [
    ...parsed.labels.map(label => codedItem('CONTAINS', finding, labelCode(label))),
    textItem('CONTAINS', ['121073', 'DCM', 'Impression'], words.join('\n')),
  ]
}

function labelCode(label: string): Code {
  const concept = snomedConcept(label)
  return concept ? [concept.code, 'SCT', concept.meaning] : [ownCode(label), '99QOQMED', label]
}

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { Withheld } from '../withheld.ts'
import { diagnosisOf } from './diagnosis.testing.ts'
import { dicomReport } from './dicom-report.ts'
import { fhirBundle } from './fhir-bundle.ts'

const fixtures = path.resolve(import.meta.dirname, '../../fixtures')
const read = (name: string): Buffer => readFileSync(path.join(fixtures, name))
/** What fhir.resources, highdicom and pydicom found in the fixtures: tooling/oracles/clinical_documents.py. */
const found = JSON.parse(read('documents.expected.json').toString())
const at = new Date('2026-03-01T11:00:00Z')

function bundleText(): string {
  let number = 0
  const nextId = (): string => `00000000-0000-4000-8000-00000000010${++number}`
  return `${JSON.stringify(fhirBundle(diagnosisOf(), { at, nextId }), null, 2)}\n`
}

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')

describe('documents that other libraries read', () => {
  test('the bundle is the one that fhir.resources parsed', () => {
    expect(sha256(bundleText())).toBe(found.sha256['bundle.json'])
    expect(found.bundle).toEqual({
      type: 'collection',
      resources: [
        'DiagnosticReport',
        ...Array(3).fill('Observation'),
        ...Array(3).fill('Media'),
        'Device',
        'Provenance',
      ],
      security: ['AIAST'],
    })
  })

  test('the report is the one in which highdicom found every box, where it lies', () => {
    expect(sha256(dicomReport(diagnosisOf(), at))).toBe(found.sha256['report.dcm'])
    expect(found.report).toMatchObject({ class: 'ComprehensiveSR', patient: 'Müller^Zoë', patient_id: 'P-0017' })
    const corners = found.report.regions.map(({ points }: { points: number[][] }) => [...points[0]!, ...points[2]!])
    const boxes = diagnosisOf().boxes.map(({ x1, y1, x2, y2 }) => [x1, y1, x2, y2])
    expect(corners).toEqual(boxes)
    expect(boxes).toEqual([
      [20, 40, 120, 140],
      [5, 6, 40, 80],
    ])
    expect(found.report.regions).toMatchObject([
      { finding: ['233604007', 'SCT', 'Pneumonia'], frame: null },
      { finding: [expect.any(String), '99QOQMED', 'Lesion'], frame: 4 },
    ])
  })
})

describe('a DICOM report', () => {
  const pictures = diagnosisOf().pictures
  const reference = pictures[0]!.reference!.reveal()
  test.for([
    { name: 'no picture', pictures: [], says: 'no DICOM picture' },
    { name: 'a photograph', pictures: [{ ...pictures[0]!, reference: undefined as never }], says: 'no DICOM instance' },
    {
      name: 'two studies',
      pictures: [
        pictures[0]!,
        { ...pictures[0]!, reference: new Withheld({ ...reference, sopInstanceUid: '1.2', studyInstanceUid: '1.9' }) },
      ],
      says: 'several studies',
    },
  ])('is refused for $name', ({ pictures: given, says }) => {
    const write = () => dicomReport(diagnosisOf({ pictures: given, boxes: [] }), at)
    expect(write).toThrow(
      expect.objectContaining({ code: 'SERVER_REPORT_SOURCE', message: expect.stringContaining(says) }),
    )
  })
})

test('what says who a patient is tells nobody', async () => {
  const { inspect } = await import('node:util')
  const [first] = diagnosisOf().pictures
  for (const text of [JSON.stringify(first), inspect(first, { depth: 9 }), String(first!.reference?.toString())]) {
    expect(text).toContain('(withheld)')
    expect(text).not.toMatch(/Müller|P-0017|1\.2\.826/)
  }
})

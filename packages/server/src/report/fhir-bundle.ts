import type {
  Bundle,
  BundleEntry,
  CodeableConcept,
  DiagnosticReport,
  FhirResource,
  Media,
  Observation,
  Reference,
} from 'fhir/r4.js'
import type { Diagnosis } from '../diagnose/diagnose.ts'
import { researchNotice } from '../research-notice.ts'
import { ownCode, snomedConcept } from './label-codes.ts'

const snomed = 'http://snomed.info/sct'
const ownSystem = 'https://example.invalid/qoq-med/labels'
const boxExtension = 'https://example.invalid/qoq-med/box'
/** Says that a statement was made by a machine (HL7 v3 ObservationValue). */
const aiAsserted = {
  system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue',
  code: 'AIAST',
  display: 'Artificial Intelligence asserted',
}
const meta = { security: [aiAsserted] }

/**
 * Writes a diagnosis as a FHIR R4 bundle: a preliminary DiagnosticReport, an Observation per candidate label, a Media per picture
 * with the boxes in it, the Device that is the model, and the Provenance. It names no patient: who asked knows whose files they are.
 *
 * @param at when it was made
 * @param nextId gives the identifiers of resources, as UUIDs
 */
export function fhirBundle(
  diagnosis: Diagnosis,
  { at, nextId }: { readonly at: Date; readonly nextId: () => string },
): object {
  const instant = at.toISOString()
  const device = entry(deviceOf(diagnosis), nextId())
  const context = { device: referenceTo(device), instant }
  const media = diagnosis.pictures.map((_, index) => entry(mediaOf(diagnosis, index, context), nextId()))
  const observations = statements(diagnosis).map(statement =>
    entry(observationOf(statement, { ...context, media }), nextId()),
  )
  const report = entry(reportOf(diagnosis, { ...context, media, observations }), nextId())
  const provenance = entry(
    {
      resourceType: 'Provenance',
      meta,
      target: [report, ...observations].map(referenceTo),
      recorded: instant,
      agent: [{ type: { coding: [assembler] }, who: context.device }],
    },
    nextId(),
  )
  const bundle: Bundle = {
    resourceType: 'Bundle',
    id: diagnosis.id,
    meta,
    type: 'collection',
    timestamp: instant,
    entry: [report, ...observations, ...media, device, provenance],
  }
  return bundle
}

const assembler = {
  system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type',
  code: 'assembler',
  display: 'Assembler',
}

type Entry = BundleEntry & { readonly fullUrl: string }

interface Context {
  readonly device: Reference
  readonly instant: string
}

function entry(resource: FhirResource, id: string): Entry {
  return { fullUrl: `urn:uuid:${id}`, resource: { ...resource, id } }
}

function referenceTo({ fullUrl }: Entry): Reference {
  return { reference: fullUrl }
}

function deviceOf({ model }: Diagnosis): FhirResource {
  return {
    resourceType: 'Device',
    status: 'active',
    manufacturer: 'QoQ-Med',
    deviceName: [{ name: model, type: 'model-name' }],
    type: { text: 'clinical foundation model' },
    note: [{ text: researchNotice }],
  }
}

/** A label, whether the answer has it, and its probability where one was asked for. */
interface Statement {
  readonly label: string
  readonly isPresent: boolean
  readonly probability: number | undefined
}

/** One per candidate; of a free question one per label of the answer. */
function statements({ task, parsed, probabilities }: Diagnosis): Statement[] {
  const labels = task.labels.length > 0 ? task.labels : parsed.labels
  return labels.map(label => ({
    label,
    isPresent: parsed.labels.includes(label),
    probability: probabilities?.[label],
  }))
}

function observationOf(
  { label, isPresent, probability }: Statement,
  { device, instant, media }: Context & { readonly media: readonly Entry[] },
): Observation {
  const [code, display] = isPresent ? ['52101004', 'Present'] : ['2667000', 'Absent']
  return {
    resourceType: 'Observation',
    meta,
    status: 'preliminary',
    code: labelConcept(label),
    effectiveDateTime: instant,
    device,
    valueCodeableConcept: { coding: [{ system: snomed, code, display }] },
    ...(media.length > 0 && { derivedFrom: media.map(referenceTo) }),
    ...(probability !== undefined && {
      component: [
        {
          code: { text: 'probability beside the other labels' },
          valueQuantity: { value: rounded(probability), system: 'http://unitsofmeasure.org', code: '1' },
        },
      ],
    }),
  }
}

function mediaOf({ pictures, boxes }: Diagnosis, index: number, { instant, device }: Context): Media {
  const { width, height, file, position, length } = pictures[index]! // one of its pictures
  const inside = boxes.filter(({ picture }) => picture === index)
  const place = length > 1 ? `, ${position + 1} of ${length}` : ''
  return {
    resourceType: 'Media',
    meta,
    status: 'completed',
    createdDateTime: instant,
    device,
    width,
    height,
    content: { title: `File ${file + 1} of the request${place}` },
    ...(inside.length > 0 && {
      extension: inside.map(({ label, x1, y1, x2, y2 }) => ({
        url: boxExtension,
        extension: [
          ...(label === null ? [] : [{ url: 'label', valueString: label }]),
          ...Object.entries({ x1, y1, x2, y2 }).map(([url, valueDecimal]) => ({ url, valueDecimal })),
        ],
      })),
      note: inside.map(({ label, x1, y1, x2, y2 }) => ({
        text: `${label ?? 'box'}: pixels ${x1}, ${y1} to ${x2}, ${y2}`,
      })),
    }),
  }
}

function reportOf(
  diagnosis: Diagnosis,
  {
    instant,
    media,
    observations,
  }: Context & { readonly media: readonly Entry[]; readonly observations: readonly Entry[] },
): DiagnosticReport {
  const { parsed } = diagnosis
  const coded = parsed.labels.filter(label => snomedConcept(label) !== undefined).map(labelConcept)
  const answer = parsed.labels.length > 0 ? parsed.labels.join(', ') : (parsed.answer ?? 'No answer')
  return {
    resourceType: 'DiagnosticReport',
    meta,
    status: 'preliminary',
    code: { text: 'Answer of a model about files' },
    effectiveDateTime: instant,
    issued: instant,
    ...(observations.length > 0 && { result: observations.map(referenceTo) }),
    ...(media.length > 0 && { media: media.map(one => ({ link: referenceTo(one) })) }),
    conclusion: [answer, ...(parsed.think ? [parsed.think] : []), `${researchNotice}.`].join('\n\n'),
    ...(coded.length > 0 && { conclusionCode: coded }),
  }
}

function labelConcept(label: string): CodeableConcept {
  const concept = snomedConcept(label)
  const coding = concept
    ? { system: snomed, code: concept.code, display: concept.meaning }
    : { system: ownSystem, code: ownCode(label), display: label }
  return { coding: [coding], text: label }
}

function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6
}

import { dataErrors } from '../errors.ts'
import { millivoltsPerUnit } from '../ecg/ecg-units.ts'
import type { StoredEcg, StoredLead } from '../ecg/stored-ecg.ts'
import { numberSamples } from './sample-text.ts'
import { elementAt, elementsOf, numberIn, textAt, type XmlElement } from './xml-tree.ts'

const format = 'HL7 aECG'

/** Seconds per unit of a time step, as UCUM spells them. */
const secondsPerUnit: ReadonlyMap<string, number> = new Map([
  ['s', 1],
  ['ms', 1e-3],
  ['us', 1e-6],
])

/**
 * Reads the rhythm of an HL7 annotated ECG: digits with origin and scale per lead, and the time step. Derived series
 * (representative beats) are left out.
 *
 * @throws DATA_ECG_INVALID
 */
export function readAecg(root: XmlElement): StoredEcg {
  const warnings: string[] = []
  const all = elementsOf(root, 'component').flatMap(component => elementsOf(component, 'series'))
  const series = all.filter(one => codeOf(one).toUpperCase() !== 'REPRESENTATIVE_BEAT' && setsOf(one).length > 0)
  if (series.length > 1) warnings.push(`${series.length - 1} other series were left out`)
  const [first, ...others] = setsOf(series[0])
  const leads = first ? leadsOf(first) : []
  if (!first || leads.length === 0) throw dataErrors.ECG_INVALID({ format, problem: 'it holds no lead' })
  for (const other of others) {
    // Some writers give every lead a set of its own.
    const more = startOf(other) === startOf(first) ? leadsOf(other) : []
    if (more.length > 0 && more.every(lead => isBeside(lead, leads))) leads.push(...more)
    else warnings.push('another set of sequences was left out')
  }
  return { leads, warnings }
}

/** The sets of sequences of a series that hold a lead. */
function setsOf(series: XmlElement | undefined): (readonly XmlElement[])[] {
  return elementsOf(series, 'component')
    .flatMap(component => elementsOf(component, 'sequenceSet'))
    .map(set => elementsOf(set, 'component').flatMap(component => elementsOf(component, 'sequence')))
    .filter(sequences => sequences.some(sequence => leadName(codeOf(sequence)) !== undefined))
}

function leadsOf(sequences: readonly XmlElement[]): StoredLead[] {
  const samplingRateHz = rateOf(sequences)
  return sequences.flatMap(sequence => {
    const name = leadName(codeOf(sequence))
    return name === undefined ? [] : [leadOf(sequence, { name, samplingRateHz })]
  })
}

/** Whether a lead is another one than those, and as long and as fast. */
function isBeside({ name, samples, samplingRateHz }: StoredLead, leads: readonly StoredLead[]): boolean {
  return leads.every(
    lead => lead.name !== name && lead.samples.length === samples.length && lead.samplingRateHz === samplingRateHz,
  )
}

function codeOf(element: XmlElement): string {
  return elementAt(element, 'code')?.attributes.get('code') ?? ''
}

/** The lead of a code such as `MDC_ECG_LEAD_V1`; codes of time, and of what is no lead, give none. */
function leadName(code: string): string | undefined {
  return /_ECG_LEAD_(.+)$/i.exec(code)?.[1]
}

function timeOf(sequences: readonly XmlElement[]): XmlElement | undefined {
  return sequences.find(sequence => codeOf(sequence).toUpperCase().startsWith('TIME_'))
}

/** When a set begins, as it is written. */
function startOf(sequences: readonly XmlElement[]): string {
  const head = elementAt(timeOf(sequences), 'value', 'head')?.attributes
  return `${head?.get('value') ?? ''} ${head?.get('unit') ?? ''}`
}

function rateOf(sequences: readonly XmlElement[]): number {
  const step = elementAt(timeOf(sequences), 'value', 'increment')
  const value = numberIn(step?.attributes.get('value'))
  const seconds = secondsPerUnit.get(step?.attributes.get('unit') ?? '')
  if (value === undefined || seconds === undefined || !(value > 0))
    throw dataErrors.ECG_INVALID({ format, problem: 'it says no time step in s, ms or us' })
  return Number((1 / (value * seconds)).toPrecision(9))
}

function leadOf(
  sequence: XmlElement,
  { name, samplingRateHz }: { readonly name: string; readonly samplingRateHz: number },
): StoredLead {
  const value = elementAt(sequence, 'value')
  const scale = quantity(elementAt(value, 'scale'))
  const origin = quantity(elementAt(value, 'origin'))
  if (scale === undefined || scale.value === 0)
    throw dataErrors.ECG_INVALID({ format, problem: 'a lead says no scale' })
  const unitRatio = (millivoltsPerUnit(origin?.unit ?? scale.unit) ?? 1) / (millivoltsPerUnit(scale.unit) ?? 1)
  return {
    name,
    units: scale.unit,
    scale: scale.value,
    zero: (-(origin?.value ?? 0) * unitRatio) / scale.value,
    samplingRateHz,
    samples: numberSamples(textAt(value, 'digits'), format),
    missing: undefined,
  }
}

function quantity(element: XmlElement | undefined): { value: number; unit: string } | undefined {
  const value = numberIn(element?.attributes.get('value'))
  return value === undefined ? undefined : { value, unit: element?.attributes.get('unit') ?? '' }
}

import { dataErrors } from '../errors.ts'
import { millivoltsPerUnit } from '../ecg-units.ts'
import type { StoredEcg, StoredLead } from '../stored-ecg.ts'
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
  const series = all.filter(one => codeOf(one).toUpperCase() !== 'REPRESENTATIVE_BEAT')
  if (series.length > 1) warnings.push(`${series.length - 1} other series were left out`)
  const sets = elementsOf(series[0], 'component').flatMap(component => elementsOf(component, 'sequenceSet'))
  if (sets.length > 1) warnings.push(`${sets.length - 1} other sets of sequences were left out`)
  const sequences = elementsOf(sets[0], 'component').flatMap(component => elementsOf(component, 'sequence'))
  const samplingRateHz = rateOf(sequences)
  const leads = sequences.flatMap(sequence => {
    const name = leadName(codeOf(sequence))
    return name === undefined ? [] : [leadOf(sequence, { name, samplingRateHz })]
  })
  if (leads.length === 0) throw dataErrors.ECG_INVALID({ format, problem: 'it holds no lead' })
  return { leads, warnings }
}

function codeOf(element: XmlElement): string {
  return elementAt(element, 'code')?.attributes.get('code') ?? ''
}

/** The lead of a code such as `MDC_ECG_LEAD_V1`; codes of time, and of what is no lead, give none. */
function leadName(code: string): string | undefined {
  return /_ECG_LEAD_(.+)$/i.exec(code)?.[1]
}

function rateOf(sequences: readonly XmlElement[]): number {
  const time = sequences.find(sequence => codeOf(sequence).toUpperCase().startsWith('TIME_'))
  const step = elementAt(time, 'value', 'increment')
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

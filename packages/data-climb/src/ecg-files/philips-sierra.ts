import { standardLead, standardLeads } from '../ecg/ecg-leads.ts'
import { dataErrors } from '../errors.ts'
import type { StoredEcg } from '../ecg/stored-ecg.ts'
import { decodeBase64, int16Samples, numberSamples } from './sample-text.ts'
import { decodeXli } from './xli.ts'
import { elementAt, numberIn, textAt, type XmlElement } from './xml-tree.ts'

const format = 'Philips Sierra XML'
const maxLeads = 256
/** A day at 1,000 samples a second. */
const maxSamples = 86_400_000

type Samples = Int16Array | Int32Array | Float64Array

/** What a file says of its signals, as attributes of the waveforms (1.04) or as elements beside them (1.03). */
interface Waveforms {
  readonly labels: readonly string[]
  readonly samples: number
  readonly samplingRateHz: number
  readonly encoding: string
  readonly compression: string
  readonly isSigned: boolean
  readonly text: string
}

/**
 * Reads the rhythm of a Philips Sierra file, versions 1.03 and 1.04: base64 or plain numbers, lead after lead, with or
 * without XLI compression, in which III, aVR, aVL and aVF are what the computed leads differ by.
 *
 * @throws DATA_ECG_INVALID, DATA_ECG_UNSUPPORTED
 */
export function readSierra(root: XmlElement): StoredEcg {
  const version = textAt(root, 'documentinfo', 'documentversion')
  if (!/^1\.0[34](\.|$)/.test(version))
    throw dataErrors.ECG_UNSUPPORTED({
      what: `Sierra files of version ${version.replaceAll(/[^\d.]/g, '').slice(0, 12)}`,
    })
  const parsed = elementAt(root, 'waveforms', 'parsedwaveforms') ?? find(root, 'parsedwaveforms')
  const signal = elementAt(root, 'dataacquisition', 'signalcharacteristics') ?? find(root, 'signalcharacteristics')
  if (!parsed) throw dataErrors.ECG_INVALID({ format, problem: 'it holds no waveforms' })
  const said = (name: string) => parsed.attributes.get(name) ?? textAt(signal, name)
  const waveforms = waveformsOf(parsed, signal)
  const scale = [said('resolution'), textAt(signal, 'signalresolution')].map(numberIn).find(value => (value ?? 0) > 0)
  if (scale === undefined) throw dataErrors.ECG_INVALID({ format, problem: 'it says no resolution' })
  const zero = numberIn(said('signaloffset')) ?? 0
  const { labels, samplingRateHz } = waveforms
  const leads = samplesOf(waveforms).map((samples, i) => ({
    name: labels[i]!, // one per lead
    units: 'uV',
    scale,
    zero,
    samplingRateHz,
    samples,
    missing: undefined,
  }))
  return { leads, warnings: [] }
}

/** The first element of a name at any depth. */
function find(element: XmlElement, name: string): XmlElement | undefined {
  for (const child of element.children) {
    const found = child.name === name ? child : find(child, name)
    if (found) return found
  }
  return undefined
}

function waveformsOf(parsed: XmlElement, signal: XmlElement | undefined): Waveforms {
  const attribute = (name: string) => parsed.attributes.get(name)?.trim() ?? ''
  const samplingRateHz = numberIn(attribute('samplespersecond')) ?? numberIn(textAt(signal, 'samplingrate')) ?? 0
  const samples = Math.round(((numberIn(attribute('durationperchannel')) ?? 0) * samplingRateHz) / 1000)
  if (!(samplingRateHz > 0 && samples > 0 && samples <= maxSamples))
    throw dataErrors.ECG_INVALID({ format, problem: 'its duration or sampling rate is missing or out of range' })
  const isPlain = /^(false|0|no)$/i.test(attribute('compressflag'))
  const method = attribute('compression') || attribute('compressmethod')
  const compression = isPlain || /^(uncompressed|none)?$/i.test(method) ? '' : method.toUpperCase()
  const labels = labelsOf(attribute('leadlabels'), numberIn(attribute('numberofleads')), signal)
  const isSigned = !/^(false|0|no)$/i.test(attribute('signalsigned') || textAt(signal, 'signalsigned'))
  return {
    labels,
    samples,
    samplingRateHz,
    encoding: attribute('dataencoding'),
    compression,
    isSigned,
    text: parsed.text,
  }
}

function labelsOf(written: string, count: number | undefined, signal: XmlElement | undefined): readonly string[] {
  const names = written.split(/\s+/).filter(name => name !== '')
  const allocated =
    numberIn(textAt(signal, 'numberchannelsallocated')) ?? numberIn(textAt(signal, 'numberchannelsvalid'))
  const number = names.length > 0 ? Math.min(names.length, count ?? Infinity) : (allocated ?? 0)
  if (!(Number.isInteger(number) && number > 0 && number <= maxLeads))
    throw dataErrors.ECG_INVALID({ format, problem: 'its number of leads is missing or out of range' })
  if (names.length > 0) return names.slice(0, number)
  const isStandard = /^(STD-12|10-WIRE)$/i.test(textAt(signal, 'acquisitiontype') || textAt(signal, 'leadset'))
  return Array.from({ length: number }, (_, i) => (isStandard ? standardLeads[i] : undefined) ?? `Channel ${i + 1}`)
}

function samplesOf({ labels, samples, encoding, compression, isSigned, text }: Waveforms): Samples[] {
  if (compression !== '' && compression !== 'XLI')
    throw dataErrors.ECG_UNSUPPORTED({ what: 'Sierra waveforms in another compression than XLI' })
  const isBase64 = /^base64$/i.test(encoding)
  if (!isBase64 && (compression !== '' || !/^plain$/i.test(encoding)))
    throw dataErrors.ECG_UNSUPPORTED({ what: 'Sierra waveforms in another encoding than Base64 or Plain' })
  if (compression === 'XLI') {
    const leads = decodeXli(decodeBase64(text, format), samples)
    if (leads.length < labels.length) throw tooShort()
    return withLimbLeads(leads.slice(0, labels.length), labels)
  }
  const words = isBase64 ? int16Samples(decodeBase64(text, format)) : undefined
  const values =
    words === undefined ? numberSamples(text, format) : isSigned ? words : Int32Array.from(words, word => word & 0xffff)
  if (values.length < samples * labels.length) throw tooShort()
  return labels.map((_, i) => values.slice(i * samples, (i + 1) * samples))
}

function tooShort(): Error {
  return dataErrors.ECG_INVALID({ format, problem: 'it has fewer samples than it claims' })
}

/** Turns what III, aVR, aVL and aVF differ by into the leads themselves, where the limb leads come first. */
function withLimbLeads(leads: readonly Int32Array[], labels: readonly string[]): Int32Array[] {
  const [one, two, three, right, left, foot, ...others] = leads
  const isUsual = standardLeads.slice(0, 6).every((lead, i) => standardLead(labels[i] ?? '') === lead)
  if (!isUsual || !one || !two || !three || !right || !left || !foot) return [...leads]
  const iii = three.map((value, i) => two[i]! - one[i]! - value) // leads of one length
  const avr = right.map((value, i) => -value - Math.floor((one[i]! + two[i]!) / 2))
  const avl = left.map((value, i) => Math.floor((one[i]! - iii[i]!) / 2) - value)
  const avf = foot.map((value, i) => Math.floor((two[i]! + iii[i]!) / 2) - value)
  return [one, two, iii, avr, avl, avf, ...others]
}

import path from 'node:path'
import { sha256OfArray, summarise, type NumericArray } from '../media/array-summary.ts'
import { ecgPatientFields } from './ecg-patient-fields.ts'
import type { FileReport } from './file-report.ts'
import { readStoredEcg } from '../ecg-files/read-ecg.ts'
import { standardLead } from '../ecg/ecg-leads.ts'
import { readInputFile } from '../files/input-file.ts'
import { readWfdb } from '../ecg/wfdb-file.ts'
import { readMat } from '../wfdb/mat-file.ts'
import type { MatDtype } from '../wfdb/mat-matrix.ts'
import { physicalSignal, smoothFrames } from '../wfdb/physical.ts'
import type { WfdbRecord } from '../wfdb/record.ts'

/** Inspects a WFDB record; signals with several samples per frame are reduced to one, as wfdb-python does. */
export async function inspectWfdb(file: string): Promise<FileReport> {
  const stored = await readWfdb(file.replace(/\.(hea|dat)$/i, ''))
  const record = smoothFrames(stored)
  const isSmoothed = stored.signals.some(signal => signal.samplesPerFrame > 1)
  const digital = interleave(record, signal => signal.digital, Int32Array)
  const physical = interleave(record, physicalSignal, Float64Array)
  return {
    format: 'wfdb',
    shape: [record.frames, record.signals.length],
    dtype: 'int32',
    channels: record.signals.map(signal => signal.name),
    fs: record.frameRateHz,
    units: record.signals.map(signal => signal.units),
    ...summarise(digital),
    sha256Physical: sha256OfArray(physical),
    about: durationOf(record.frames, record.frameRateHz),
    patientFields: record.comments.length > 0 ? ['comments of the header (free text)'] : [],
    warnings: isSmoothed
      ? [...record.warnings, 'signals with several samples per frame were averaged']
      : record.warnings,
  }
}

/** Inspects an electrocardiogram that is one file: its leads as they are stored, [samples, leads]. */
export async function inspectEcg(bytes: Uint8Array, file: string): Promise<FileReport> {
  const { format, leads, warnings } = await readStoredEcg({ name: path.basename(file), bytes })
  const samples = Math.min(...leads.map(lead => lead.samples.length))
  const [first] = leads
  const isInt16 = leads.every(lead => lead.samples instanceof Int16Array)
  const isInteger = leads.every(lead => lead.samples instanceof Int16Array || lead.samples instanceof Int32Array)
  const Kind = isInt16 ? Int16Array : isInteger ? Int32Array : Float64Array
  const stored = new Kind(samples * leads.length)
  const physical = new Float64Array(samples * leads.length)
  for (const [lead, { samples: values, scale, zero, missing }] of leads.entries())
    for (let i = 0, at = lead; i < samples; i++, at += leads.length) {
      const value = values[i]! // the shortest lead has as many
      stored[at] = value
      physical[at] = value === missing ? Number.NaN : (value - zero) * scale
    }
  return {
    format,
    shape: [samples, leads.length],
    dtype: isInt16 ? 'int16' : isInteger ? 'int32' : 'float64',
    channels: leads.map(({ name }, i) => standardLead(name) ?? `channel ${i + 1}`),
    ...(first && { fs: first.samplingRateHz }),
    units: leads.map(({ units }) => units),
    ...summarise(stored),
    sha256Physical: sha256OfArray(physical),
    about: durationOf(samples, first?.samplingRateHz),
    patientFields: ecgPatientFields(bytes, format),
    warnings,
  }
}

function durationOf(samples: number, rateHz: number | undefined): Record<string, number> {
  return rateHz !== undefined && rateHz > 0 ? { 'duration (s)': Number((samples / rateHz).toFixed(3)) } : {}
}

/** Lays signals out as [time][channel]. */
function interleave<Values extends Int32Array | Float64Array>(
  record: WfdbRecord,
  valuesOf: (signal: WfdbRecord['signals'][number]) => Values,
  Kind: new (length: number) => Values,
): Values {
  const width = record.signals.length
  const all = new Kind(record.frames * width)
  for (const [channel, signal] of record.signals.entries()) {
    const values = valuesOf(signal)
    for (let i = 0, at = channel; i < record.frames; i++, at += width) all[at] = values[i]! // one value per frame
  }
  return all
}

const storedArrays: Readonly<Record<MatDtype, (values: Float64Array) => NumericArray>> = {
  float64: values => values,
  float32: values => Float32Array.from(values),
  int32: values => Int32Array.from(values),
  uint32: values => Uint32Array.from(values),
  int16: values => Int16Array.from(values),
  uint16: values => Uint16Array.from(values),
  int8: values => Int8Array.from(values),
  uint8: values => Uint8Array.from(values),
}

/** Inspects the numeric matrix of a MATLAB file, rows first. */
export async function inspectMat(file: string): Promise<FileReport> {
  const { level, shape, dtype, values } = readMat(await readInputFile(file))
  return { format: `mat${level}`, shape, dtype, ...summarise(storedArrays[dtype](values)), warnings: [] }
}

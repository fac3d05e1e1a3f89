import { existsSync } from 'node:fs'
import path from 'node:path'
import { isDicom, parseDicomFile } from '../dicom/dicom-file.ts'
import { storedWfdb } from '../ecg/ecg-recording.ts'
import { dataErrors } from '../errors.ts'
import { readRegularFile } from '../files/folder-entries.ts'
import type { EcgRecording } from '../sample/sample.ts'
import { recordingOf, type StoredEcg } from '../ecg/stored-ecg.ts'
import { readWfdbAtOnce } from '../ecg/wfdb-at-once.ts'
import { readStoredWfdb } from '../ecg/wfdb-file.ts'
import { headerText } from '../wfdb/header-text.ts'
import { parseWfdbHeader } from '../wfdb/header.ts'
import { decodeWfdb } from '../wfdb/record.ts'
import { hasWaveforms, readDicomEcg } from './dicom-ecg.ts'
import { ecgFormatOf, type EcgFormat } from './ecg-format.ts'
import { readEcgTable, type EcgTableOptions } from './ecg-table.ts'
import { readMuse } from './ge-muse.ts'
import { readAecg } from './hl7-aecg.ts'
import { readSierra } from './philips-sierra.ts'
import { readScp } from './scp-ecg.ts'
import { parseXml } from './xml-tree.ts'

/** A file that is in memory. */
export interface EcgFileBytes {
  readonly name: string
  readonly bytes: Uint8Array
}

/** Options of `readEcg`. */
export interface ReadEcgOptions extends EcgTableOptions {
  /** Keeps the first part of a longer recording. */
  readonly maxSeconds?: number
}

/** The leads of a file as it stores them, and what it is. */
export interface StoredEcgFile extends StoredEcg {
  readonly format: EcgFormat | 'dicom-ecg' | 'wfdb'
}

type FileReader = (bytes: Uint8Array, options: EcgTableOptions) => StoredEcg

const readers: Readonly<Record<EcgFormat, FileReader>> = {
  'hl7-aecg': bytes => readAecg(parseXml(bytes)),
  'ge-muse': bytes => readMuse(parseXml(bytes)),
  'philips-sierra': bytes => readSierra(parseXml(bytes)),
  'scp-ecg': readScp,
  'ecg-csv': readEcgTable,
}

/**
 * Reads an electrocardiogram of any format that is known, told by content: WFDB, DICOM waveform, HL7 aECG, GE MUSE XML, Philips
 * Sierra XML, SCP-ECG, or a CSV with a header. Leads have their usual names and are in millivolts; III, aVR, aVL and aVF are
 * computed where they are missing.
 *
 * @param input a path (of a WFDB record its header, its signal file, or its path without suffix), or files in memory: one, or a
 *   WFDB header with its signal files
 * @throws DATA_INPUT_MISSING, DATA_FORMAT_UNKNOWN, DATA_ECG_INVALID, DATA_ECG_UNSUPPORTED, DATA_ECG_UNIT_MISSING, DATA_ECG_RATE_MISSING,
 *   the errors of the WFDB and DICOM readers, and those of `ecgRecording`
 * @example
 * const { leads, signalMv, samplingRateHz } = await readEcg('exports/ecg.xml', { maxSeconds: 10 })
 */
export async function readEcg(
  input: string | EcgFileBytes | readonly EcgFileBytes[],
  { maxSeconds = Infinity, ...options }: ReadEcgOptions = {},
): Promise<EcgRecording> {
  const header = typeof input === 'string' ? wfdbHeaderOf(input) : undefined
  const atOnce = header === undefined ? undefined : readWfdbAtOnce(header, maxSeconds)
  if (atOnce) return atOnce
  const stored = await readStoredEcg(input, options)
  return recordingOf(stored, { record: nameOf(input), maxSeconds })
}

function nameOf(input: string | EcgFileBytes | readonly EcgFileBytes[]): string {
  const first = typeof input === 'string' ? input : [input].flat()[0]?.name
  return path.basename(first ?? '')
}

/** Reads the leads of an electrocardiogram as they are stored. @throws as `readEcg` */
export async function readStoredEcg(
  input: string | EcgFileBytes | readonly EcgFileBytes[],
  options: EcgTableOptions = {},
): Promise<StoredEcgFile> {
  if (typeof input !== 'string') return readInMemory([input].flat(), options)
  const header = wfdbHeaderOf(input)
  if (header !== undefined) return { format: 'wfdb', ...(await readStoredWfdb(header)) }
  const bytes = await readRegularFile(input)
  if (bytes === undefined) throw dataErrors.INPUT_MISSING({ file: path.basename(input) })
  return readInMemory([{ name: input, bytes }], options)
}

/** The header of a WFDB record that a path means: its own, or the one beside a signal file or a record's name. */
function wfdbHeaderOf(file: string): string | undefined {
  if (/\.hea$/i.test(file)) return file
  if (!/\.(dat|mat)$/i.test(file) && path.extname(file) !== '') return undefined
  const header = file.replace(/\.(dat|mat)$/i, '').concat('.hea')
  return existsSync(header) ? header : undefined
}

function readInMemory(files: readonly EcgFileBytes[], options: EcgTableOptions): StoredEcgFile {
  const header = files.find(({ name }) => /\.hea$/i.test(name))
  if (header) return { format: 'wfdb', ...storedWfdb(decodeRecord(header, files)) }
  const [file] = files
  if (!file || files.length > 1) throw dataErrors.FORMAT_UNKNOWN({ file: path.basename(file?.name ?? 'nothing') })
  const { bytes } = file
  if (isDicom(bytes)) {
    if (!hasWaveforms(parseDicomFile(bytes)))
      throw dataErrors.ECG_INVALID({ format: 'DICOM', problem: 'it holds no waveform' })
    return { format: 'dicom-ecg', ...readDicomEcg(bytes) }
  }
  const format = ecgFormatOf(bytes)
  if (format === undefined) throw dataErrors.FORMAT_UNKNOWN({ file: path.basename(file.name) })
  return { format, ...readers[format](bytes, options) }
}

function decodeRecord({ name, bytes }: EcgFileBytes, files: readonly EcgFileBytes[]) {
  const header = parseWfdbHeader(headerText(bytes), path.basename(name).replace(/\.hea$/i, ''))
  if (header.segments.length > 0)
    throw dataErrors.ECG_UNSUPPORTED({ what: 'WFDB records of several segments in memory' })
  return decodeWfdb(header, new Map(files.map(file => [path.basename(file.name), file.bytes])))
}

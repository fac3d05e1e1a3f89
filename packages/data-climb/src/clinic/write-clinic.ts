import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import sharp from 'sharp'
import { encodeDicom, uidOf } from '../dicom/write-dicom.ts'
import type { Finding } from '../sample/reference.ts'
import type { SampleForm } from '../sample/short-form.ts'
import type { EcgRecording, PixelMask, RgbImage } from '../sample/sample.ts'
import { encodeWfdb } from '../wfdb/write.ts'
import { encodeNifti } from '../volume/write-nifti.ts'
import type {
  ClinicDomain,
  DrawnFinding,
  EcgDomain,
  Film,
  PictureDomain,
  StudyDomain,
  VideoDomain,
  ViewStreams,
  VolumeDomain,
} from './clinic-domain.ts'
import { severityOf, visibilityOf, type ClinicDifficulty } from './clinic-difficulty.ts'
import { clinicPatient, type ClinicPatient } from './clinic-patient.ts'
import type { PlannedView } from './clinic-plan.ts'
import { boxOfMask, unionOfMasks } from './mask-geometry.ts'
import { randomStream } from './random-stream.ts'

/** One line of a domain's `index.jsonl`. */
export interface ClinicRow {
  readonly key: string
  readonly patientId: string
  readonly split: PlannedView['split']
  readonly labels: readonly string[]
  /** Relative to the domain's folder. */
  readonly file: string
  readonly mask?: string
  /** Header of the ECG beside a picture, relative to the domain's folder. */
  readonly header?: string
  /** The record in words. */
  readonly text?: string
  /** Simulated, as everything. */
  readonly sex: ClinicPatient['sex']
  readonly age: number
  /** Named where it is not the full one. */
  readonly form?: 'short'
  readonly findings: readonly Finding[]
}

/** What one sample needs besides its domain. */
export interface WriteContext {
  /** Folder of the domain. */
  readonly folder: string
  readonly seed: number
  readonly difficulty: ClinicDifficulty
  readonly form: SampleForm
}

/** Folders that a domain's files go into. */
export const clinicFolders: Readonly<Record<ClinicDomain['type'], readonly string[]>> = {
  picture: ['images', 'masks'],
  ecg: ['records'],
  video: ['videos', 'masks'],
  volume: ['volumes', 'masks'],
  study: ['images', 'masks', 'records'],
}

/** Makes one sample and writes its files. */
export async function writeView(domain: ClinicDomain, view: PlannedView, context: WriteContext): Promise<ClinicRow> {
  const streams = {
    patient: randomStream(`${domain.domain}|${context.seed}|${view.patientId}`),
    view: randomStream(`${domain.domain}|${context.seed}|${view.key}`),
  }
  const { key, patientId, split, answer: labels } = view
  const patient = clinicPatient(domain.domain, context.seed, patientId)
  const form = context.form === 'short' && { form: context.form }
  return {
    key,
    patientId,
    split,
    labels,
    ...patient,
    ...form,
    ...(await writeMedia(domain, view, { ...context, streams, patient })),
  }
}

function writeMedia(domain: ClinicDomain, view: PlannedView, context: StreamedContext): Promise<Written> {
  if (domain.type === 'ecg') return writeEcg(domain, view, context)
  if (domain.type === 'picture') return writePicture(domain, view, context)
  if (domain.type === 'study') return writeStudy(domain, view, context)
  return domain.type === 'video' ? writeVideo(domain, view, context) : writeVolume(domain, view, context)
}

type Written = Pick<ClinicRow, 'file' | 'mask' | 'header' | 'text' | 'findings'>
type StreamedContext = WriteContext & { readonly streams: ViewStreams; readonly patient: ClinicPatient }

async function writePicture(domain: PictureDomain, view: PlannedView, context: StreamedContext): Promise<Written> {
  const { key } = view
  const { image, findings } = domain.draw(view.answer, context.streams, visibility(context))
  const isDicom = domain.format === 'dicom'
  const file = `images/${key}.${isDicom ? 'dcm' : 'png'}`
  await writeFile(path.join(context.folder, file), isDicom ? dicomOfImage(image, view) : await pngOfImage(image))
  return { file, ...(await writeFindings(key, findings, context)) }
}

async function writeVideo(
  domain: VideoDomain,
  { key, answer }: PlannedView,
  context: StreamedContext,
): Promise<Written> {
  const { frames, findings } = domain.film(answer, context.streams, visibility(context))
  const file = `videos/${key}.gif`
  await writeFile(path.join(context.folder, file), await gifOfFrames(frames))
  return { file, ...(await writeFindings(key, findings, context)) }
}

async function writeVolume(
  domain: VolumeDomain,
  { key, answer }: PlannedView,
  context: StreamedContext,
): Promise<Written> {
  const { volume, findings } = domain.scan(answer, context.streams, visibility(context))
  const file = `volumes/${key}.nii.gz`
  await writeFile(path.join(context.folder, file), gzipSync(encodeNifti(volume)))
  return { file, ...(await writeFindings(key, findings, context)) }
}

/** Patients differ in how plain their findings are. */
function visibility({ difficulty, patient, streams }: StreamedContext): number {
  return visibilityOf(difficulty, patient, streams.patient.uniform())
}

/** The same of their hearts, from a stream of its own, so that what is drawn does not depend on it. */
function severity({ difficulty, patient, seed }: StreamedContext, patientId: string): number {
  return severityOf(difficulty, patient, randomStream(`severity|${seed}|${patientId}`).uniform())
}

async function writeFindings(
  key: string,
  findings: readonly DrawnFinding[],
  { folder }: StreamedContext,
): Promise<Pick<ClinicRow, 'mask' | 'findings'>> {
  const listed = findings.map(({ label, description, mask }) => {
    const box = boxOfMask(mask)
    return { label, description, ...(box && { box }) }
  })
  const [first, ...others] = findings.map(finding => finding.mask)
  if (!first) return { findings: listed }
  const mask = `masks/${key}.png`
  await writeFile(path.join(folder, mask), await pngOfMask(unionOfMasks([first, ...others])))
  return { mask, findings: listed }
}

async function writeStudy(
  domain: StudyDomain,
  { key, patientId, answer }: PlannedView,
  context: StreamedContext,
): Promise<Written> {
  const seen = { contrast: visibility(context), severity: severity(context, patientId) }
  const { image, findings, ecg, record } = domain.examine(answer, context.streams, seen)
  const file = `images/${key}.png`
  await writeFile(path.join(context.folder, file), await pngOfImage(image))
  const drawn = await writeFindings(key, findings, context)
  const header = await writeRecording(ecg, key, context)
  return { file, header, text: record, ...drawn, findings: [...drawn.findings, ...ecg.findings] }
}

async function writeEcg(
  domain: EcgDomain,
  { key, patientId, answer }: PlannedView,
  context: StreamedContext,
): Promise<Written> {
  const ecg = domain.simulate(answer, context.streams, severity(context, patientId))
  return { file: await writeRecording(ecg, key, context), findings: ecg.findings }
}

/** Writes a recording; answers the path of its header. */
async function writeRecording(
  { recording, snomed }: ReturnType<EcgDomain['simulate']>,
  key: string,
  { folder }: WriteContext,
): Promise<string> {
  const comments = ['Simulated, not a patient', `Dx: ${snomed.join(',')}`]
  const { hea, dat } = encodeWfdb({
    record: key,
    samplingRateHz: recording.samplingRateHz,
    signals: digitise(recording),
    comments,
  })
  await writeFile(path.join(folder, 'records', `${key}.hea`), hea)
  await writeFile(path.join(folder, 'records', `${key}.dat`), dat)
  return `records/${key}.hea`
}

/** Digital units per millivolt, as in the Challenge sets. */
const gain = 1000

function digitise({ leads, signalMv }: EcgRecording) {
  return leads.map((name, i) => ({
    name,
    gain,
    digital: Int16Array.from(signalMv[i] ?? [], mv => Math.max(-32767, Math.min(32767, Math.round(mv * gain)))),
  }))
}

/** Encodes a picture as PNG. */
async function pngOfImage({ width, height, data }: RgbImage): Promise<Uint8Array> {
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 6 })
    .toBuffer()
}

/** Twelve bits hold a level of eight bits times sixteen; the window gives the levels back. */
const dicomStep = 16

/** Encodes a grey picture as DICOM, which says that it is simulated. */
function dicomOfImage({ width, height, data }: RgbImage, { key, patientId }: PlannedView): Uint8Array {
  const pixels = Uint16Array.from({ length: width * height }, (_, i) => (data[i * 3] ?? 0) * dicomStep)
  const highest = 255 * dicomStep
  return encodeDicom({
    rows: height,
    columns: width,
    pixels,
    bitsStored: 12,
    modality: 'MG',
    sopClassUid: '1.2.840.10008.5.1.4.1.1.1.2',
    sopInstanceUid: uidOf(`mini clinic ${key}`),
    studyUid: uidOf(`mini clinic ${patientId}`),
    window: { center: (highest + 1) / 2, width: highest + 1 },
    patientId,
    comments: 'Simulated, not a patient',
  })
}

async function pngOfMask({ width, height, data }: PixelMask): Promise<Uint8Array> {
  return sharp(
    data.map(inside => inside * 255),
    { raw: { width, height, channels: 1 } },
  )
    .toColourspace('b-w')
    .png({ compressionLevel: 6 })
    .toBuffer()
}

/** Encodes grey frames as an animated GIF: 256 levels suffice, so nothing is dithered. */
async function gifOfFrames(frames: Film['frames']): Promise<Uint8Array> {
  const [{ width, height }] = frames
  const data = Buffer.concat(frames.map(frame => frame.data))
  return sharp(data, { raw: { width, height: height * frames.length, channels: 3, pageHeight: height } })
    .gif({ dither: 0, effort: 1, delay: frames.map(() => 100) })
    .toBuffer()
}

import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import sharp from 'sharp'
import type { Finding } from '../reference.ts'
import type { EcgRecording, PixelMask, RgbImage } from '../sample.ts'
import { encodeWfdb } from '../wfdb/write.ts'
import type { ClinicDomain, EcgDomain, PictureDomain, ViewStreams } from './clinic-domain.ts'
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
  readonly findings: readonly Finding[]
}

/** What one sample needs besides its domain. */
export interface WriteContext {
  /** Folder of the domain. */
  readonly folder: string
  readonly seed: number
  /** Multiplies the contrast of findings. */
  readonly contrast: number
}

/** Folders that a domain's files go into. */
export const clinicFolders: Readonly<Record<ClinicDomain['type'], readonly string[]>> = {
  picture: ['images', 'masks'],
  ecg: ['records'],
}

/** Makes one sample and writes its files. */
export async function writeView(domain: ClinicDomain, view: PlannedView, context: WriteContext): Promise<ClinicRow> {
  const streams = {
    patient: randomStream(`${domain.domain}|${context.seed}|${view.patientId}`),
    view: randomStream(`${domain.domain}|${context.seed}|${view.key}`),
  }
  const { key, patientId, split, answer: labels } = view
  const media =
    domain.type === 'ecg'
      ? await writeEcg(domain, view, { ...context, streams })
      : await writePicture(domain, view, { ...context, streams })
  return { key, patientId, split, labels, ...media }
}

type Written = Pick<ClinicRow, 'file' | 'mask' | 'findings'>
type StreamedContext = WriteContext & { readonly streams: ViewStreams }

async function writePicture(
  domain: PictureDomain,
  { key, answer }: PlannedView,
  { folder, streams, contrast }: StreamedContext,
): Promise<Written> {
  const visibility = contrast * streams.patient.between(0.6, 1.1)
  const { image, findings } = domain.draw(answer, streams, visibility)
  const file = `images/${key}.png`
  await writeFile(path.join(folder, file), await pngOfImage(image))
  const listed = findings.map(({ label, description, mask }) => {
    const box = boxOfMask(mask)
    return { label, description, ...(box && { box }) }
  })
  const [first, ...others] = findings.map(finding => finding.mask)
  if (!first) return { file, findings: listed }
  const mask = `masks/${key}.png`
  await writeFile(path.join(folder, mask), await pngOfMask(unionOfMasks([first, ...others])))
  return { file, mask, findings: listed }
}

async function writeEcg(
  domain: EcgDomain,
  { key, answer }: PlannedView,
  { folder, streams }: StreamedContext,
): Promise<Written> {
  const { recording, findings, snomed } = domain.simulate(answer, streams)
  const comments = ['Simulated, not a patient', `Dx: ${snomed.join(',')}`]
  const { hea, dat } = encodeWfdb({
    record: key,
    samplingRateHz: recording.samplingRateHz,
    signals: digitise(recording),
    comments,
  })
  await writeFile(path.join(folder, 'records', `${key}.hea`), hea)
  await writeFile(path.join(folder, 'records', `${key}.dat`), dat)
  return { file: `records/${key}.hea`, findings }
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
export async function pngOfImage({ width, height, data }: RgbImage): Promise<Uint8Array> {
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 6 })
    .toBuffer()
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

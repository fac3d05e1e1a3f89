import path from 'node:path'
import type { EcgRecording, PresentedMedia, RgbImage, WindowChoice } from '@qoq-med/data-climb'
import type { ContentPart } from '@qoq-med/model'
import type { CommandInput } from '../command-input.ts'
import { cliErrors } from '../errors.ts'
import { presentFile, readEcgFile } from '../media-files.ts'

/** What a question is asked about, and what people should know of it. */
export interface AskedMedia {
  readonly parts: readonly ContentPart[]
  /** Pictures, frames and slices in the order of the prompt. */
  readonly pictures: readonly RgbImage[]
  readonly ecgs: readonly EcgRecording[]
  /** What was changed, not applied or left out of the files, and which slices were looked at. */
  readonly warnings: readonly string[]
}

/** Reads what a question is asked about. @throws CLI_FILE_MISSING, CLI_VALUE_INVALID, and the readers' own errors */
export async function askedMedia(
  {
    image,
    ecg,
    window,
  }: { readonly image: readonly string[]; readonly ecg: readonly string[]; readonly window: string },
  input: CommandInput,
): Promise<AskedMedia> {
  const { mediaParts } = await import('@qoq-med/data-climb')
  const choice = await windowChoice(window)
  const shown = await Promise.all(image.map(file => presentFile(file, input, { window: choice })))
  const ecgs = await Promise.all(ecg.map(file => readEcgFile(file, input)))
  const ecgParts = ecgs.map(one => ({ type: 'ecg', ecg: one }) as const)
  return {
    parts: [...shown.flatMap(mediaParts), ...ecgParts],
    pictures: shown.flatMap(({ pictures }) => pictures),
    ecgs,
    warnings: [
      ...shown.flatMap((media, i) => mediaWarnings(path.basename(image[i] ?? ''), media)),
      ...ecgs.flatMap(({ warnings = [] }, i) => warnings.map(text => `${path.basename(ecg[i] ?? '')}: ${text}`)),
    ],
  }
}

async function windowChoice(window: string): Promise<WindowChoice> {
  const { parseWindow } = await import('@qoq-med/data-climb')
  const { isHintedError } = await import('@qoq-med/errors')
  try {
    return parseWindow(window)
  } catch (cause) {
    if (!isHintedError(cause)) throw cause
    const expected = 'CENTRE/WIDTH such as 40/400, lung, bone, brain, soft-tissue, angiogram, file or range'
    throw cliErrors.VALUE_INVALID({ name: '--window', value: window, expected })
  }
}

function mediaWarnings(file: string, { kind, positions, length, warnings }: PresentedMedia): string[] {
  const unit = kind === 'video' ? 'frames' : 'slices'
  const seen = `${file}: looked at ${positions.length} of ${length} ${unit} (${positions.map(at => at + 1).join(', ')})`
  return [...(length > positions.length ? [seen] : []), ...warnings.map(text => `${file}: ${text}`)]
}

const pictureWords =
  /\b(?:image|picture|photo(?:graph)?|radiograph|x-?ray|scan|slide|mammogram|ultrasound|fundus|mri|ct)\b/i
const ecgWords = /\b(?:ecg|ekg|electrocardiogram|rhythm strip)\b/i

/** Says where a question speaks of a picture or an ECG that was not given. */
export function missingMedia(question: string, { pictures, ecgs }: AskedMedia): string[] {
  const lacks = [
    ...(pictures.length === 0 && pictureWords.test(question)
      ? ['a picture, but none was given; add --image FILE']
      : []),
    ...(ecgs.length === 0 && ecgWords.test(question) ? ['an ECG, but none was given; add --ecg FILE'] : []),
  ]
  return lacks.map(what => `the question speaks of ${what}`)
}

/** Says where a model was never trained on what it is asked about, as far as its run is known. */
export async function untrainedMedia(
  datasets: readonly string[] | undefined,
  { pictures, ecgs }: AskedMedia,
): Promise<string[]> {
  if (datasets === undefined) return []
  const { listDatasets } = await import('@qoq-med/data-climb')
  const domains = new Set(listDatasets().flatMap(({ id, domain }) => (datasets.includes(id) ? [domain] : [])))
  const hasEcgs = domains.has('ecg') || domains.has('multimodal')
  const hasPictures = [...domains].some(domain => domain !== 'ecg')
  return [
    ...(ecgs.length > 0 && !hasEcgs ? ['this model was never trained on ECGs: its answer is a guess'] : []),
    ...(pictures.length > 0 && !hasPictures ? ['this model was never trained on pictures: its answer is a guess'] : []),
  ]
}

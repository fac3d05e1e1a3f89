import { join, resolve } from 'node:path'
import {
  ecgStrip,
  markedPicture,
  openDataset,
  svgToPng,
  type MarkedBox,
  type RgbImage,
  type Sample,
} from '@qoq-med/data-climb'
import { parseResponse } from '@qoq-med/rewards'
import { loadConfig } from '../config/load-config.ts'
import { requireRun } from './run-facts.ts'
import type { RolloutLine } from './run-log.ts'

/** The longer side of a drawn picture. */
const pictureSize = 640

/** Colours of the boxes: what is true, and what the policy wrote. */
const colours = { truth: '#00d5ff', answer: '#ffd400' } as const

/**
 * Draws what a rollout was asked about: the first picture with the true boxes (blue) and those of the answer (yellow), or
 * the ECG on millimetre paper.
 *
 * @param runFolder the run that kept the rollout; its data must still be where the run found it
 * @returns a PNG; nothing for a sample of text alone
 * @throws TRAINER_NO_RUN, and the DATA errors of opening the dataset and its files
 */
export async function drawRollout(runFolder: string, rollout: RolloutLine): Promise<Uint8Array | undefined> {
  const sample = await sampleOf(runFolder, rollout)
  const [picture] = (await sample?.images?.()) ?? []
  if (picture) {
    const boxes = [...trueBoxes(sample), ...answeredBoxes(rollout, picture)]
    return svgToPng(await markedPicture(picture, { boxes, fitPixels: pictureSize }))
  }
  const recording = await sample?.ecg?.()
  return recording && svgToPng(ecgStrip(recording))
}

async function sampleOf(runFolder: string, { id }: RolloutLine): Promise<Sample | undefined> {
  const { baseFolder } = await requireRun(runFolder)
  const { data } = await loadConfig(join(runFolder, 'config.yaml'))
  for (const { dataset, root, onError } of data.sources) {
    if (!id.startsWith(`${dataset}/`)) continue
    const { samples } = await openDataset(dataset, { root: resolve(baseFolder, root), onError })
    const found = samples.find(sample => sample.id === id)
    if (found) return found
  }
  return undefined
}

function isInFirst({ image = 0 }: { readonly image?: number | undefined }): boolean {
  return image === 0
}

function trueBoxes(sample: Sample | undefined): MarkedBox[] {
  return (sample?.boxes ?? []).filter(isInFirst).map(box => ({ box, colour: colours.truth }))
}

/** The answer's boxes are in pixels of the picture as the model saw it. */
function answeredBoxes({ response, seen }: RolloutLine, { width, height }: RgbImage): MarkedBox[] {
  const x = width / (seen?.width ?? width)
  const y = height / (seen?.height ?? height)
  return parseResponse(response)
    .boxes.filter(isInFirst)
    .map(({ x1, y1, x2, y2, label }) => ({
      box: { x1: x1 * x, y1: y1 * y, x2: x2 * x, y2: y2 * y },
      colour: colours.answer,
      ...(label !== undefined && { label }),
    }))
}

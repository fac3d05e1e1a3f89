import { join } from 'node:path'
import type { MarkedBox, RgbImage, Sample } from '@qoq-med/data-climb'
import { parseResponse } from '@qoq-med/rewards'
import { loadConfig } from '../config/load-config.ts'
import { loadTrainingData } from '../run/training-data.ts'
import { boxColours, drawSample } from './draw-sample.ts'
import { requireRun } from './run-facts.ts'
import type { RolloutLine } from './run-log.ts'

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
  return sample && drawSample(sample, picture => answeredBoxes(rollout, picture))
}

async function sampleOf(runFolder: string, { id }: RolloutLine): Promise<Sample | undefined> {
  const { baseFolder } = await requireRun(runFolder)
  const config = await loadConfig(join(runFolder, 'config.yaml'))
  const [dataset = ''] = id.split('/')
  const { clinic: _, ...data } = config.data
  const sources = data.sources.filter(source => source.dataset === undefined || source.dataset === dataset)
  const { all } = await loadTrainingData({ ...config, data: { ...data, sources } }, baseFolder)
  for await (const sample of all.samples()) if (sample.id === id) return sample
  return undefined
}

/** The answer's boxes are in pixels of the picture as the model saw it. */
function answeredBoxes({ response, seen }: RolloutLine, { width, height }: RgbImage): MarkedBox[] {
  const x = width / (seen?.width ?? width)
  const y = height / (seen?.height ?? height)
  return parseResponse(response)
    .boxes.filter(({ image = 0 }) => image === 0)
    .map(({ x1, y1, x2, y2, label }) => ({
      box: { x1: x1 * x, y1: y1 * y, x2: x2 * x, y2: y2 * y },
      colour: boxColours.answer,
      ...(label !== undefined && { label }),
    }))
}

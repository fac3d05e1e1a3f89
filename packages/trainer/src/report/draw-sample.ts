import { ecgStrip, markedPicture, svgToPng, type MarkedBox, type RgbImage, type Sample } from '@qoq-med/data-climb'

/** The longer side of a drawn picture. */
const pictureSize = 640

/** Colours of the boxes: what is true, and what the policy wrote. */
export const boxColours = { truth: '#00d5ff', answer: '#ffd400' } as const

/**
 * Draws what a sample shows: its first picture with the true boxes (blue), or the ECG on millimetre paper.
 *
 * @param answered boxes of an answer in the first picture as stored; none by default
 * @returns a PNG; nothing for a sample of text alone
 * @throws the DATA errors of its files
 */
export async function drawSample(
  sample: Sample,
  answered: (picture: RgbImage) => readonly MarkedBox[] = () => [],
): Promise<Uint8Array | undefined> {
  const [picture] = (await sample.images?.()) ?? []
  if (picture) {
    const boxes = [...trueBoxes(sample), ...answered(picture)]
    return svgToPng(await markedPicture(picture, { boxes, fitPixels: pictureSize }))
  }
  const recording = await sample.ecg?.()
  return recording && svgToPng(ecgStrip(recording))
}

function trueBoxes({ boxes = [] }: Sample): MarkedBox[] {
  return boxes.filter(({ image = 0 }) => image === 0).map(box => ({ box, colour: boxColours.truth }))
}

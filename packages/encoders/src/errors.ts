import { defineErrors } from '@qoq-med/errors'

/** Every error of this package; codes start with `ENCODERS_`. Messages never hold samples or pixels. */
export const encodersErrors = defineErrors('ENCODERS', {
  IMAGE_SIZE: {
    message: (p: { width: number; height: number; bytes: number }) =>
      `An RGB image of ${p.width} × ${p.height} pixels needs ${p.width * p.height * 3} bytes, but it has ${p.bytes}.`,
    hint: () => 'Pass whole numbers for width and height, and three bytes per pixel, row by row.',
  },
  IMAGE_DATA: {
    message: (p: { kind: string }) => `An RGB image has bytes, but the data of this one are of the kind ${p.kind}.`,
    hint: () =>
      'Pass a Uint8Array of levels from 0 to 255; levels from 0 to 1 are multiplied by 255 and rounded first.',
  },
  IMAGE_ASPECT: {
    message: (p: { width: number; height: number; limit: number }) =>
      `The image of ${p.width} × ${p.height} pixels is more than ${p.limit} times as long as it is short.`,
    hint: () => 'Crop the image, or cut it into several images.',
  },
  PIXEL_LIMITS: {
    message: (p: { minPixels: number; maxPixels: number; area: number }) =>
      `The pixel limits ${p.minPixels} to ${p.maxPixels} hold no image: one vision token covers ${p.area} pixels.`,
    hint: () => 'Pass minPixels not above maxPixels, and maxPixels of at least one token.',
  },
  FRAMES_EMPTY: {
    message: (p: { total: number; count: number }) => `${p.count} frames cannot be taken from a clip of ${p.total}.`,
    hint: () => 'Pass at least one frame and ask for at least one.',
  },
  FRAME_SIZES: {
    message: (p: { frame: number; width: number; height: number; firstWidth: number; firstHeight: number }) =>
      `Frame ${p.frame} is ${p.width} × ${p.height} pixels, but frame 0 is ${p.firstWidth} × ${p.firstHeight}.`,
    hint: () => 'Resize the frames of a clip to one size, or pass them as separate images.',
  },
  GRID: {
    message: (p: { grid: readonly number[]; mergeSize: number }) =>
      `The vision grid [${p.grid.join(', ')}] is not [frames, rows, columns] in multiples of ${p.mergeSize}.`,
    hint: () => 'Use the grid that processImage or processVideo returned with the pixels.',
  },
  VISION_BUCKET: {
    message: (p: { what: string; needed: number; given: number }) =>
      `The batch needs ${p.needed} ${p.what}, but the bucket holds ${p.given}.`,
    hint: () => 'Choose a larger bucket, or leave it out so that the batch decides.',
  },
  CONFIG: {
    message: (p: { field: string; value: unknown; rule: string }) =>
      `The encoder's config field ${p.field} is ${String(p.value)}, but it must be ${p.rule}.`,
    hint: () => "Correct the field in the checkpoint's config.json or in the recipe.",
  },
  ECG_LEAD_MISSING: {
    message: (p: { lead: string; found: readonly string[] }) =>
      `The recording has no lead ${p.lead}; it has ${p.found.join(', ')}.`,
    hint: () => 'Choose another recording, or fill missing leads with zeros by `missingLeads: "zero"`.',
  },
  ECG_LEAD_TWICE: {
    message: (p: { lead: string }) => `The recording has more than one lead named ${p.lead}.`,
    hint: () => 'Keep one of them.',
  },
  ECG_LEAD_LENGTHS: {
    message: (p: { leads: number; signals: number; lengths: readonly number[] }) =>
      `The recording names ${p.leads} leads and has ${p.signals} signals of ${p.lengths.join(', ')} samples.`,
    hint: () => 'Pass one signal per lead name, all of one length above zero.',
  },
  ECG_SAMPLING_RATE: {
    message: (p: { samplingRateHz: number }) => `The sampling rate ${p.samplingRateHz} Hz cannot be used.`,
    hint: () => 'Pass the rate of the recording in hertz, between 1 and 100,000.',
  },
  ECG_TOO_LONG: {
    message: (p: { samples: number; limit: number }) =>
      `The recording has ${p.samples} samples per lead; at most ${p.limit} are resampled at once.`,
    hint: () => 'Cut the recording to the part that matters.',
  },
  ECG_NOT_FINITE: {
    message: (p: { lead: string; sample: number; count: number }) =>
      `Lead ${p.lead} has ${p.count} samples that are not finite numbers, the first at sample ${p.sample}.`,
    hint: () => 'Cut the gap out or fill it before; the encoder does not guess missing signal.',
  },
  ECG_SHAPE: {
    message: (p: { found: readonly number[]; leads: number; samples: number }) =>
      `The ECG batch has the shape [${p.found.join(', ')}], but the encoder takes [N, ${p.leads}, ${p.samples}].`,
    hint: () => 'Use preprocessEcg with the window of this encoder.',
  },
  ECG_TOKENS: {
    message: (p: { tokens: number; patches: number }) =>
      `${p.patches} patches of an ECG cannot be pooled to ${p.tokens} tokens of equal size.`,
    hint: p => {
      const divisors = Array.from({ length: p.patches }, (_, i) => i + 1).filter(n => p.patches % n === 0)
      return `Choose "patches", "mean" or one of ${divisors.join(', ')}.`
    },
  },
  ECG_MASK: {
    message: (p: { masked: number; patches: number }) =>
      `A mask of ${p.masked} of ${p.patches} time patches leaves nothing to predict or nothing to see.`,
    hint: () => 'Choose maskScale so that at least one patch is masked and at least one is visible.',
  },
  RESAMPLE_LENGTH: {
    message: (p: { from: number; to: number }) => `${p.from} samples cannot be resampled to ${p.to}.`,
    hint: () => 'Pass lengths that are whole numbers above zero.',
  },
})

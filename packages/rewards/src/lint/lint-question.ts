import { boxArea, type BoxXyxy, type ImageSize } from '../geometry/box.ts'
import type { LintQuestion } from './lint-probe.ts'
import type { Mask } from '../geometry/mask.ts'
import { encodeMask } from '../geometry/mask-region.ts'
import type { Truth } from '../truth.ts'

/** Questions of the kinds the datasets have: one label with a mask, several with boxes, an ECG, and no finding at all. */
export const defaultQuestions: readonly LintQuestion[] = [
  lintQuestion('one label with a mask', {
    answer: ['Glioma'],
    labels: ['Glioma', 'Meningioma', 'Pituitary tumor', 'No tumor'],
    image: { width: 64, height: 64 },
    mask: {
      width: 64,
      height: 64,
      rle: [20 * 64 + 24, ...Array.from({ length: 19 }, () => [16, 48]).flat(), 16, 24 + 24 * 64],
    },
    modality: 'mri',
  }),
  lintQuestion('several labels with a box', {
    answer: ['Pleural Effusion', 'Cardiomegaly'],
    labels: ['Atelectasis', 'Cardiomegaly', 'Edema', 'Pleural Effusion', 'Pneumonia'],
    image: { width: 512, height: 512 },
    boxes: [{ x1: 96, y1: 200, x2: 400, y2: 420 }],
    modality: 'chest_xray',
  }),
  lintQuestion('an ECG', { answer: ['MI'], labels: ['Normal', 'MI', 'STTC', 'CD', 'HYP'], modality: 'ecg' }),
  lintQuestion('nothing to find', {
    answer: [],
    labels: ['Atelectasis', 'Cardiomegaly', 'Edema'],
    image: { width: 512, height: 512 },
    modality: 'chest_xray',
  }),
]

/** Makes a question of a truth, filling in what a truth may leave open: a label list, an image size, a right box. */
export function lintQuestion(name: string, truth: Truth): LintQuestion {
  const mask = firstOf<Mask | undefined>(truth.mask)
  const region = mask === undefined ? undefined : encodeMask(mask)
  const image = firstOf<ImageSize>(truth.image) ?? region ?? { width: 512, height: 512 }
  const labels = truth.labels ?? [...truth.answer, 'Another finding']
  return { name, truth, labels, image, box: truth.boxes?.find(box => boxArea(box) > 0) ?? maskBox(mask, image) }
}

/** The box around a mask, in the pixels of the image; the middle of the image where there is no mask. */
function maskBox(mask: Mask | undefined, { width, height }: ImageSize): BoxXyxy {
  const region = mask === undefined ? undefined : encodeMask(mask)
  if (region === undefined || region.area === 0) {
    return { x1: width / 4, y1: height / 4, x2: (3 * width) / 4, y2: (3 * height) / 4 }
  }
  const columns = range(region.width).filter(x => region.pixelsWithin(x, 0, x + 1, region.height) > 0)
  const rows = range(region.height).filter(y => region.pixelsWithin(0, y, region.width, y + 1) > 0)
  const [scaleX, scaleY] = [width / region.width, height / region.height]
  return {
    x1: (columns[0] ?? 0) * scaleX,
    y1: (rows[0] ?? 0) * scaleY,
    x2: ((columns.at(-1) ?? 0) + 1) * scaleX,
    y2: ((rows.at(-1) ?? 0) + 1) * scaleY,
  }
}

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i)
}

function firstOf<T>(value: T | readonly T[] | undefined): T | undefined {
  return isList(value) ? value[0] : value
}

function isList<T>(value: T | readonly T[] | undefined): value is readonly T[] {
  return Array.isArray(value)
}

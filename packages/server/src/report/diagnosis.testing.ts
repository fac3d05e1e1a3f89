import { parseResponse } from '@qoq-med/rewards'
import type { DicomReference } from '@qoq-med/data-climb'
import type { Diagnosis, ShownPicture } from '../diagnose/diagnose.ts'
import { storedBoxes } from '../diagnose/stored-boxes.ts'
import { Withheld } from '../withheld.ts'

const reference: DicomReference = {
  sopClassUid: '1.2.840.10008.5.1.4.1.1.1.1',
  sopInstanceUid: '1.2.826.0.1.3680043.8.498.1',
  studyInstanceUid: '1.2.826.0.1.3680043.8.498.2',
  seriesInstanceUid: '1.2.826.0.1.3680043.8.498.3',
  modality: 'DX',
  placeMm: undefined,
  attributes: new Map([
    [0x00080020, '20260301'],
    [0x00080030, '101500'],
    [0x00080050, 'A-17'],
    [0x00080090, ''],
    [0x00100010, 'Müller^Zoë'],
    [0x00100020, 'P-0017'],
    [0x00100030, '19600102'],
    [0x00100040, 'F'],
    [0x00200010, '17'],
  ]),
}

const picture = { file: 0, kind: 'dicom', position: 0, length: 1, width: 400, height: 300 } as const

/** A picture of 400 x 300, seen at half its size; and frames 2 and 4 of an instance with five. */
const pictures: readonly ShownPicture[] = [
  { ...picture, seen: { width: 200, height: 150 }, reference: new Withheld(reference) },
  ...[1, 3].map(position => ({
    ...picture,
    file: 1,
    position,
    length: 5,
    frame: position + 1,
    seen: { width: 400, height: 300 },
    reference: new Withheld({ ...reference, sopInstanceUid: '1.2.826.0.1.3680043.8.498.4' }),
  })),
]

const text = `<think>The left base is dense.</think>
\`\`\`json
[{"bbox_2d": [10, 20, 60, 70], "label": "Pneumonia"}, {"bbox_2d": [5, 6, 40, 80], "label": "Lesion", "image": 2}]
\`\`\`
\\boxed{Pneumonia, Lesion}`

/** A diagnosis with two boxes, as documents are made of. */
export function diagnosisOf(changes: Partial<Diagnosis> = {}): Diagnosis {
  const labels = ['Pneumonia', 'Lesion', 'No Finding']
  const parsed = parseResponse(text, { labels })
  const { boxes } = storedBoxes(parsed.boxes, pictures)
  return {
    id: '00000000-0000-4000-8000-000000000001',
    model: 'qoq-nano',
    seed: 1,
    task: { labels, answerMode: 'multi', window: undefined, prompt: () => '' },
    completion: { tokenIds: Int32Array.of(1), logprobs: Float32Array.of(0), text, finish: 'end' },
    parsed,
    pictures,
    boxes,
    probabilities: { Pneumonia: 0.7, Lesion: 0.25, 'No Finding': 0.05 },
    warnings: [],
    usage: { promptTokens: 40, completionTokens: 1 },
    timing: { decode: 1, generate: 2, score: 3 },
    ...changes,
  }
}

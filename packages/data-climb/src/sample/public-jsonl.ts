import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { dataErrors } from '../errors.ts'
import type { BoxXyxy, Sample, SampleView } from './sample.ts'
import { textLines } from '../files/text-lines.ts'

/** One line of the public QA file, as the training code of QoQ-Med reads it. */
export interface PublicRow {
  /** Question with one `<image>` or `<video>` marker per file, each on its own line. */
  readonly problem: string
  /** True labels, separated by a comma and a blank. */
  readonly answer: string
  /** Paths relative to the file. */
  readonly images: readonly string[]
  readonly videos: readonly string[]
  readonly timeSeries: readonly string[]
  readonly dataset: string | undefined
  readonly dataSource: string | undefined
  readonly segmentationPath: string | undefined
  /** In pixels of the first picture. */
  readonly box: BoxXyxy | undefined
  /** How boxes of one picture map into another (eq. 7); an addition to the public form. */
  readonly views: readonly SampleView[] | undefined
}

const box = z.tuple([z.number(), z.number(), z.number(), z.number()])
const paths = z.array(z.string()).nullish()
const Line = z.object({
  /** Names the sample; an addition to the public form. */
  id: z.string().nullish(),
  problem: z.string(),
  answer: z.string(),
  images: paths,
  videos: paths,
  'time-series': paths,
  dataset: z.string().nullish(),
  data_source: z.string().nullish(),
  segmentation_path: z.string().nullish(),
  bbox: box.nullish(),
  views: z
    .array(
      z.object({
        image: z.int().min(0),
        from: z.int().min(0),
        transform: z.tuple([z.number(), z.number(), z.number(), z.number(), z.number(), z.number()]),
      }),
    )
    .nullish(),
})

/**
 * Writes samples as the public QA JSONL: paths relative to the file, ECG headers as `time-series`, and the first box.
 *
 * @param file path of the `.jsonl` file; media stay where they are
 */
export async function writeJsonl(file: string, samples: readonly Sample[]): Promise<void> {
  const folder = path.dirname(path.resolve(file))
  const lines = samples.map(sample => `${JSON.stringify(publicLine(sample, folder))}\n`)
  await writeFile(file, lines.join(''))
}

/** The public form of a sample; paths are relative to the folder. */
export function publicLine(sample: Sample, folder: string): z.infer<typeof Line> {
  const relative = sample.files.map(file => path.relative(folder, file).split(path.sep).join('/'))
  const isEcgAlone = sample.modality.every(kind => kind === 'ecg')
  const isRecording = (file: string) => isEcgAlone || file.endsWith('.hea')
  const recordings = relative.filter(isRecording)
  const pictures = relative.filter(file => !isRecording(file))
  const isVideo = sample.modality.includes('video')
  const marker = (isVideo ? '<video>\n' : '<image>\n').repeat(pictures.length)
  const [first] = sample.boxes ?? []
  return {
    id: sample.id,
    problem: marker + sample.question,
    answer: sample.answer.join(', '),
    images: isVideo ? [] : pictures,
    videos: isVideo ? pictures : [],
    'time-series': recordings,
    dataset: sample.dataset,
    data_source: sample.domain,
    ...(sample.views && { views: sample.views.map(view => ({ ...view, transform: [...view.transform] as const })) }),
    ...(first && {
      bbox: [first.x1, first.y1, first.x2, first.y2] as const satisfies readonly number[] as [
        number,
        number,
        number,
        number,
      ],
    }), // four numbers
  }
}

/**
 * Reads a public QA JSONL line by line.
 *
 * @throws DATA_INDEX_INVALID at a line that is no row, or whose markers do not fit its media
 * @throws DATA_INPUT_MISSING when the file is not there
 */
export async function* readJsonl(file: string): AsyncGenerator<PublicRow> {
  let number = 0
  try {
    for await (const line of textLines(file)) {
      number++
      if (line.trim() !== '') yield parsePublicLine(line, { file: path.basename(file), number })
    }
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')
      throw dataErrors.INPUT_MISSING({ file: path.basename(file) }, { cause })
    throw cause
  }
}

/** Reads one line of a public QA JSONL. @throws DATA_INDEX_INVALID with the number of the line */
export function parsePublicLine(line: string, at: { readonly file: string; readonly number: number }): PublicRow {
  const fail = (problem: string) =>
    dataErrors.INDEX_INVALID({ dataset: 'public QA', file: at.file, problem: `line ${at.number} ${problem}` })
  const parsed = Line.safeParse(parseJson(line))
  if (!parsed.success) throw fail('is no row with problem, answer and lists of paths')
  const row = parsed.data
  const [images, videos, timeSeries] = [row.images ?? [], row.videos ?? [], row['time-series'] ?? []]
  if (images.length + videos.length + timeSeries.length === 0) throw fail('names no picture, video or recording')
  const markers = row.problem.match(/<image>|<video>/g)?.length ?? 0
  if (markers !== images.length + videos.length)
    throw fail(`has ${markers} markers for ${images.length + videos.length} files`)
  const [x1, y1, x2, y2] = row.bbox ?? [0, 0, 0, 0]
  const hasBox = x2 > x1 && y2 > y1
  return {
    problem: row.problem,
    answer: row.answer,
    images,
    videos,
    timeSeries,
    dataset: row.dataset ?? undefined,
    dataSource: row.data_source ?? undefined,
    segmentationPath: row.segmentation_path ?? undefined,
    box: hasBox ? { x1, y1, x2, y2 } : undefined,
    views: row.views ?? undefined,
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { presentSample, type RgbImage, type SampleSelection } from '@qoq-med/data-climb'
import { resizeBicubic } from '@qoq-med/encoders'
import { rgbPng, type PolicyModel } from '@qoq-med/model'
import type { MaskImage, MaskRuns, Truth } from '@qoq-med/rewards'
import type { PolicyStage, Presentation, TrainConfig } from '../config/run-config.ts'
import { trainerErrors } from '../errors.ts'
import type { LeftOutSamples } from '../run/left-out-samples.ts'
import type { Question, SamplePreparer } from '../run/prepared-sample.ts'
import { stepSamples } from '../run/step-samples.ts'

/** What the questions of a job are drawn with. */
export interface JobRowsParts {
  readonly config: TrainConfig
  readonly stage: PolicyStage
  readonly samples: SampleSelection
  readonly prepare: SamplePreparer
  readonly leftOut: LeftOutSamples
}

/** Draws the questions of all steps, in the order in which a run in this process sees them: one for each line of rows.jsonl. */
export async function jobQuestions(parts: JobRowsParts): Promise<Question[]> {
  const { stage, samples } = parts
  const questions: Question[] = []
  for (let step = 0; step < stage.steps; step++) {
    const stretch = { stageIndex: 0, from: step * stage.questionsPerStep, count: stage.questionsPerStep }
    questions.push(...(await stepSamples(parts, samples, stretch)))
  }
  return questions
}

/** What a folder of a job is written with. */
export interface JobDataParts {
  readonly config: TrainConfig
  readonly stage: PolicyStage
  readonly model: PolicyModel
  readonly engine: string
}

/**
 * Writes rows.jsonl, verl's form of data, and the pictures beside it, as the model sees them: boxes of prompts, answers and truths are in
 * their pixels.
 *
 * @throws TRAINER_ENGINE_FIELD for a sample with an ECG or a clip, and what its readers throw
 */
export async function writeJobRows(folder: string, questions: readonly Question[], parts: JobDataParts): Promise<void> {
  await mkdir(join(folder, 'pictures'), { recursive: true })
  const lines: string[] = []
  for (const [index, question] of questions.entries()) {
    const { text, pictures, masks } = await promptOf(question, parts)
    const files: string[] = []
    for (const [at, picture] of pictures.entries())
      files.push(await keepPicture(folder, `${question.sample.id} ${at}`, picture))
    const { sample, truth } = question
    lines.push(
      JSON.stringify({
        data_source: sample.dataset,
        prompt: [{ role: 'user', content: `${'<image>'.repeat(files.length)}${text}` }],
        images: files,
        ability: 'clinical',
        // As text: a truth's fields differ from row to row, and columns of a table may not.
        reward_model: { style: 'rule', ground_truth: JSON.stringify(truthFields(truth, masks)) },
        extra_info: { index, domain: sample.domain, group: sample[parts.stage.groupBy] },
      }),
    )
  }
  await writeFile(join(folder, 'rows.jsonl'), `${lines.join('\n')}\n`)
}

async function promptOf(
  { sample }: Question,
  { config, model, engine }: JobDataParts,
): Promise<{ text: string; pictures: RgbImage[]; masks: readonly MaskRuns[] | undefined }> {
  const { prompt, truth } = await presentSample(sample)
  const { template, frames } = config.data.presentation
  const parts = prompt.flatMap(({ content }) => content)
  const refuse = (reason: string): Error => trainerErrors.ENGINE_FIELD({ engine, field: 'data.sources', reason })
  if (parts.some(({ type }) => type === 'ecg')) throw refuse('takes no ECGs; choose other `domains`')
  if (frames === 'video' && parts.some(({ type }) => type === 'video'))
    throw refuse('takes no clips; set `data.presentation.frames: pictures`, or choose other `domains`')
  return {
    text: parts.map(part => (part.type === 'text' ? written(template, part.text) : '')).join(''),
    pictures: parts.flatMap(part => picturesOf(part, model)),
    masks: truth.mask?.map(maskRuns),
  }
}

function written(template: Presentation['template'], question: string): string {
  return template.replaceAll('{question}', () => question)
}

type Part = Awaited<ReturnType<typeof presentSample>>['prompt'][number]['content'][number]

function picturesOf(part: Part, { seenSize }: PolicyModel): RgbImage[] {
  const pictures = part.type === 'image' ? [part.image] : part.type === 'video' ? part.frames : []
  return pictures.map(picture => {
    const size = seenSize(picture)
    const isSeen = size.width === picture.width && size.height === picture.height
    return isSeen ? picture : resizeBicubic(picture, size)
  })
}

/** An id is a path of its dataset, and may name a patient: its digest does neither. */
async function keepPicture(folder: string, name: string, picture: RgbImage): Promise<string> {
  const file = join('pictures', `${createHash('sha256').update(name).digest('hex').slice(0, 24)}.png`)
  if (!existsSync(join(folder, file))) await writeFile(join(folder, file), rgbPng(picture))
  return file
}

/** A truth as a row of `qoq rewards` has it. @param masks as runs, where it has some */
export function truthFields(truth: Truth, masks: readonly MaskRuns[] | undefined): Readonly<Record<string, unknown>> {
  const { boxes } = truth
  return {
    ...truth,
    ...(boxes && { boxes: boxes.map(({ x1, y1, x2, y2, image = 0 }) => [x1, y1, x2, y2, image]) }),
    mask: masks, // undefined stands in no JSON
  }
}

/** A mask as lengths of runs in row-major order, starting with the zeros. */
export function maskRuns({ width, height, data }: MaskImage): MaskRuns {
  const rle: number[] = []
  let [value, length] = [0, 0]
  for (const pixel of data) {
    const isInside = pixel === 0 ? 0 : 1
    if (isInside !== value) {
      rle.push(length)
      ;[value, length] = [isInside, 0]
    }
    length++
  }
  return { width, height, rle: [...rle, length] }
}

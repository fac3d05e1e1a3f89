import path from 'node:path'
import { placeWithin, type SamplePictures } from './sample-pictures.ts'

/** What a page is told of an answer's picture: where to ask for it, or why there is none. */
export type AnswerPicture = { readonly picture: string } | { readonly no_picture: string }

/** Where pictures of a folder are looked for. */
export interface PicturesOf {
  /** The folder that is shown. */
  readonly folder: string
  readonly pictures: SamplePictures
}

/** As `keptPictures` of a training names them in the run folder. */
const keptName = /^pictures\/[0-9a-f]{16}\.png$/

/** The picture that a run kept of a rollout. */
export async function rolloutPicture(
  rollout: unknown,
  { folder, pictures, run }: PicturesOf & { readonly run: string },
): Promise<AnswerPicture> {
  const name = fieldOf(rollout, 'picture')
  if (typeof name !== 'string')
    return { no_picture: 'The run kept no pictures: train with keptPictures: true to see them.' }
  const file = keptName.test(name) ? await placeWithin(folder, path.join(folder, run, name)) : undefined
  if (file === undefined) return { no_picture: 'The picture that the run kept is not in its folder any more.' }
  return shown(pictures.idOf({ type: 'file', file }))
}

/** The picture of an evaluated sample, where its dataset lies in the folder that is shown. */
export async function evaluatedPicture(
  answer: unknown,
  { folder, pictures, results }: PicturesOf & { readonly results: unknown },
): Promise<AnswerPicture> {
  const [dataset, sampleId] = [fieldOf(answer, 'dataset'), fieldOf(answer, 'sampleId')]
  const place = typeof dataset === 'string' ? dataPlaces(results).get(dataset) : undefined
  if (typeof dataset !== 'string' || typeof sampleId !== 'string' || place === undefined)
    return { no_picture: 'The evaluation does not say where its data lies.' }
  const root = await placeWithin(folder, path.resolve(place))
  if (root === undefined)
    return {
      no_picture:
        'The data of the evaluation does not lie in the folder that is shown, out of which nothing is read; a relative --data is looked for from where the server was started.',
    }
  return shown(pictures.idOf({ type: 'sample', dataset, root, sampleId }))
}

/** Folders by dataset, as `qoq eval --data DATASET=FOLDER` was told. */
function dataPlaces(results: unknown): ReadonlyMap<string, string> {
  const data = fieldOf(fieldOf(results, 'config'), 'data')
  const given = Array.isArray(data) ? data.filter(one => typeof one === 'string') : []
  return new Map(
    given.flatMap(text => {
      const at = text.indexOf('=')
      return at > 0 ? [[text.slice(0, at), text.slice(at + 1)] as const] : []
    }),
  )
}

function shown(id: string): AnswerPicture {
  return { picture: `/v1/pictures/${id}` }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name] // it has one
    : undefined
}

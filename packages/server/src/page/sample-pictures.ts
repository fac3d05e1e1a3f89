import { randomUUID } from 'node:crypto'
import { readFile, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { isHintedError } from '@qoq-med/errors'
import { ecgStrip, markedPicture, openDataset, svgToPng, type Sample, type SvgDrawing } from '@qoq-med/data-climb'

/** Where a picture comes from: a file that a run kept, or a sample of a dataset. */
export type PictureSource =
  | { readonly type: 'file'; readonly file: string }
  | { readonly type: 'sample'; readonly dataset: string; readonly root: string; readonly sampleId: string }

/** The pictures that a page may ask for: those that were given an id. */
export interface SamplePictures {
  /** Gives a source an id, the same for the same source. */
  idOf(source: PictureSource): string
  /** The PNG of an id; nothing where there is no such id, its file is gone, or lies outside the folder. */
  read(id: string): Promise<Uint8Array | undefined>
}

/** Ids that are remembered: the oldest goes first. */
const maxIds = 20_000
const maxOpenDatasets = 4
const maxBytes = 64 * 2 ** 20
const pngStart = '89504e47'

/** Hands out ids for pictures, and reads those that lie in a folder, whatever leads out of it. */
export function createSamplePictures(folder: string): SamplePictures {
  const ids = new Map<string, string>()
  const sources = new Map<string, PictureSource>()
  const datasets = new Map<string, Promise<ReadonlyMap<string, Sample>>>()
  const sampleOf = async ({ dataset, root, sampleId }: Extract<PictureSource, { type: 'sample' }>) => {
    const key = `${dataset} ${root}`
    const opened = datasets.get(key) ?? samplesById(dataset, root)
    datasets.delete(key) // the one that was asked for last stands last
    datasets.set(key, opened)
    opened.catch(() => datasets.delete(key))
    dropOldest(datasets, maxOpenDatasets)
    return (await opened).get(sampleId)
  }
  return {
    idOf: source => {
      const key = JSON.stringify(source)
      const id = ids.get(key) ?? randomUUID()
      ids.set(key, id)
      sources.set(id, source)
      dropOldest(ids, maxIds)
      dropOldest(sources, maxIds)
      return id
    },
    read: async id => {
      const source = sources.get(id)
      if (!source) return undefined
      if (source.type === 'file') return keptPicture(folder, source.file)
      // A folder that holds no such dataset any more has no picture of it; why is said where the evaluation was made.
      const sample = await sampleOf(source).catch(nothingIfHinted)
      if (!sample) return undefined
      for (const file of sample.files) if ((await placeWithin(folder, file)) === undefined) return undefined
      const drawing = await drawingOf(sample).catch(nothingIfHinted) // the error of a reader names the sample and its file
      return drawing && svgToPng(drawing)
    },
  }
}

/** The real place of a file or folder that lies in another one, without links that lead out; nothing where it does not. */
export async function placeWithin(folder: string, place: string): Promise<string | undefined> {
  const [root, real] = await Promise.all([folder, place].map(one => realpath(one).catch(() => undefined)))
  if (root === undefined || real === undefined) return undefined
  const relative = path.relative(root, real)
  return relative === '..' || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative) ? undefined : real
}

async function samplesById(dataset: string, root: string): Promise<ReadonlyMap<string, Sample>> {
  const { samples } = await openDataset(dataset, { root, onError: 'skip' })
  return new Map(samples.map(sample => [sample.id, sample]))
}

async function keptPicture(folder: string, file: string): Promise<Uint8Array | undefined> {
  const real = await placeWithin(folder, file)
  if (real === undefined || (await stat(real)).size > maxBytes) return undefined
  const bytes = await readFile(real)
  return bytes.subarray(0, 4).toString('hex') === pngStart ? bytes : undefined
}

/** The first picture in its own pixels, or the ECG on millimetre paper. */
async function drawingOf({ images, ecg }: Sample): Promise<SvgDrawing | undefined> {
  const [first] = (await images?.()) ?? []
  if (first) return markedPicture(first)
  return ecg && ecgStrip(await ecg())
}

function nothingIfHinted(thrown: unknown): undefined {
  if (!isHintedError(thrown)) throw thrown
}

function dropOldest(map: Map<string, unknown>, limit: number): void {
  for (const key of map.keys()) {
    if (map.size <= limit) return
    map.delete(key)
  }
}

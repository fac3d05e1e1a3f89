import path from 'node:path'
import { DatasetFolder } from '../dataset/dataset-folder.ts'
import { findDataset, listDatasets } from '../datasets/registry.ts'
import { dataErrors } from '../errors.ts'
import { linesAt, placedLines } from '../files/placed-lines.ts'
import { makeSample, type QuestionDefinition } from '../open/open-dataset.ts'
import { parsePublicLine, type PublicRow } from '../sample/public-jsonl.ts'
import { FactTable } from '../sample/sample-facts.ts'
import type { SampleSource } from '../sample/sample-source.ts'
import { domains, type Domain, type Sample, type Split } from '../sample/sample.ts'
import { mediaOfPublicRow } from './public-media.ts'

/** Options of `openJsonl`. */
export interface OpenJsonlOptions {
  /** The folder that the paths in the file must not leave; the file's own by default. */
  readonly root?: string
  /** The part that its samples are, which lines do not say; `train` by default. */
  readonly split?: Split
}

/**
 * Opens a public QA JSONL: pictures, recordings, boxes and masks by path. The file is read through once; of a line its place, its dataset
 * and its answer are kept, and its sample is made when it is asked for. Labels are those of the dataset where it is one of ours, and
 * else all answers that the file has for it.
 *
 * @throws DATA_INPUT_MISSING, and DATA_INDEX_INVALID at a line that is no row, names no known domain, or holds media that do not go together
 */
export async function openJsonl(
  file: string,
  { root = path.dirname(file), split = 'train' }: OpenJsonlOptions = {},
): Promise<SampleSource> {
  const lines = new LinePlaces()
  const facts = new FactTable()
  const vocabularies = new Map<string, Vocabulary>()
  for await (const { row, number, start, end } of rowsOf(file)) {
    const { dataset, answer, domain } = factsOf(row, { file, number })
    mediaOfPublicRow(row, { file: path.basename(file), number })
    lines.add({ number, start, end })
    vocabularyOf(vocabularies, dataset).add(answer)
    facts.add({ id: idOf(dataset, file, number), dataset, domain, answer, split, question: row.problem })
  }
  const make = (row: PublicRow, number: number): Sample => {
    const { dataset, answer, domain } = factsOf(row, { file, number })
    const definition = definitionOf({ dataset, domain, row }, vocabularyOf(vocabularies, dataset))
    return sampleOf(row, { definition, answer, number, file, root, split })
  }
  return {
    length: facts.length,
    facts,
    skipped: 0,
    read: async rows => {
      const places = rows.map(row => lines.at(row))
      const texts = await linesAt(file, places)
      return texts.map((text, i) => {
        const { number } = places[i]! // one text a place
        return make(parsePublicLine(text, { file: path.basename(file), number }), number)
      })
    },
  }
}

interface PlacedRow {
  readonly row: PublicRow
  readonly number: number
  readonly start: number
  readonly end: number
}

async function* rowsOf(file: string): AsyncGenerator<PlacedRow> {
  let number = 0
  try {
    for await (const { text, start, end } of placedLines(file)) {
      number++
      if (text.trim() === '') continue
      yield { row: parsePublicLine(text, { file: path.basename(file), number }), number, start, end }
    }
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')
      throw dataErrors.INPUT_MISSING({ file: path.basename(file) }, { cause })
    throw cause
  }
}

/** Where lines stand, in 24 bytes a line. */
class LinePlaces {
  #values = new Float64Array(3 * 1024)
  #length = 0

  add({ number, start, end }: Omit<PlacedRow, 'row'>): void {
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(2 * this.#length)
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values.set([number, start, end], this.#length)
    this.#length += 3
  }

  at(row: number): Omit<PlacedRow, 'row'> {
    const [number = 0, start = 0, end = 0] = this.#values.subarray(3 * row, 3 * row + 3)
    return { number, start, end }
  }
}

interface At {
  readonly file: string
  readonly number: number
}

function factsOf(row: PublicRow, { file, number }: At): { dataset: string; domain: Domain; answer: string[] } {
  const dataset = row.dataset ?? path.basename(file, '.jsonl')
  const domain = domains.find(one => one === row.dataSource) ?? ours(dataset)?.domain
  const answer = row.answer.split(',').flatMap(label => label.trim() || [])
  const fail = (problem: string): Error =>
    dataErrors.INDEX_INVALID({ dataset: 'public QA', file: path.basename(file), problem: `line ${number} ${problem}` })
  if (domain === undefined) throw fail('names no domain in `data_source`')
  if (answer.length === 0) throw fail('has an empty answer')
  return { dataset, domain, answer }
}

function ours(dataset: string): QuestionDefinition | undefined {
  return listDatasets().some(({ id }) => id === dataset) ? findDataset(dataset) : undefined
}

/** The answers that a file has for a dataset, in the order in which they come. */
class Vocabulary {
  readonly labels = new Set<string>()
  isMulti = false

  add(answer: readonly string[]): void {
    for (const label of answer) this.labels.add(label)
    if (answer.length > 1) this.isMulti = true
  }
}

function vocabularyOf(vocabularies: Map<string, Vocabulary>, dataset: string): Vocabulary {
  const found = vocabularies.get(dataset) ?? new Vocabulary()
  vocabularies.set(dataset, found)
  return found
}

function definitionOf(
  { dataset, domain, row }: { readonly dataset: string; readonly domain: Domain; readonly row: PublicRow },
  { labels, isMulti }: Vocabulary,
): QuestionDefinition {
  const known = ours(dataset)
  if (known && [...labels].every(label => known.labels.includes(label))) return { ...known, domain }
  const cue = row.timeSeries.length > 0 ? 'recording' : row.videos.length > 0 ? 'video' : 'picture'
  return { id: dataset, domain, cue, labels: [...labels], answerMode: isMulti ? 'multi' : 'single' }
}

interface MadeFrom extends At {
  readonly definition: QuestionDefinition
  readonly answer: readonly string[]
  readonly root: string
  readonly split: Split
}

function sampleOf(row: PublicRow, { definition, answer, number, file, root, split }: MadeFrom): Sample {
  const folder = new DatasetFolder(definition.id, root)
  const inRoot = (name: string): string =>
    path
      .relative(folder.root, path.resolve(path.dirname(file), name))
      .split(path.sep)
      .join('/')
  const { box, segmentationPath } = row
  const sample = makeSample(
    {
      key: keyOf(file, number),
      place: `line ${number}`,
      patientId: keyOf(file, number),
      labels: answer,
      media: mediaOfPublicRow(row, { file: path.basename(file), number }, inRoot),
      split,
      ...(box && { findings: [{ label: answer[0] ?? 'finding', box }] }),
      ...(segmentationPath !== undefined && { masks: [inRoot(segmentationPath)] }),
    },
    { definition, folder, options: {} },
  )
  return {
    ...sample,
    question: row.problem.replaceAll(/(?:<image>|<video>)\n?/g, '').trim(),
    ...(row.views && { views: row.views }),
  }
}

function keyOf(file: string, number: number): string {
  return `${path.basename(file)}#${number}`
}

function idOf(dataset: string, file: string, number: number): string {
  return `${dataset}/${keyOf(file, number)}`
}

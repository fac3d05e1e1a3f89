import { createReadStream, type Dirent } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { responseStatements } from '@qoq-med/rewards'
import { evaluatedPicture, rolloutPicture, type AnswerPicture, type PicturesOf } from './answer-pictures.ts'

/** Names of runs and evaluations below a folder, as paths within it. */
export interface RunNames {
  readonly runs: readonly string[]
  readonly evaluations: readonly string[]
}

/** Folders below the given one that are looked into. */
const maxDepth = 3
const maxFolders = 2000
/** Lines of a log that a page is sent: the last ones. */
const maxLines = 2000
/** Answers of an evaluation, and rollouts of a run, that a page is sent: the last ones. */
const maxAnswers = 200
const maxRollouts = 24

/** Finds training runs (metrics.jsonl) and evaluations (results.json) below a folder. Links are not followed. */
export async function listRuns(folder: string): Promise<RunNames> {
  const [runs, evaluations]: [string[], string[]] = [[], []]
  const waiting: { at: string; depth: number }[] = [{ at: '', depth: 0 }]
  for (let seen = 0; waiting.length > 0 && seen < maxFolders; seen++) {
    const { at, depth } = waiting.shift()! // there is one
    const entries: Dirent[] = await readdir(path.join(folder, at), { withFileTypes: true }).catch(() => [])
    const has = (name: string): boolean => entries.some(entry => entry.isFile() && entry.name === name)
    const name = at === '' ? '.' : at
    if (has('metrics.jsonl')) runs.push(name)
    if (has('results.json') && has('samples.jsonl')) evaluations.push(name)
    if (depth < maxDepth)
      for (const entry of entries)
        if (entry.isDirectory()) waiting.push({ at: path.posix.join(at, entry.name), depth: depth + 1 })
  }
  return { runs: runs.toSorted(), evaluations: evaluations.toSorted() }
}

/** The steps of a run, and the last of its rollouts. */
export async function readRunMetrics(from: PicturesOf, name: string): Promise<object> {
  const place = path.join(from.folder, name)
  const [steps, rollouts] = await Promise.all([
    lastLines(path.join(place, 'metrics.jsonl'), maxLines),
    lastLines(path.join(place, 'samples.jsonl'), maxRollouts),
  ])
  const shown = rollouts.map(async one => withPicture(one, await rolloutPicture(one, { ...from, run: name })))
  return { object: 'run', name, steps, rollouts: await Promise.all(shown) }
}

/** The results of an evaluation, and its answers. */
export async function readEvaluation(from: PicturesOf, name: string): Promise<object> {
  const place = path.join(from.folder, name)
  const results: unknown = JSON.parse(await readFile(path.join(place, 'results.json'), 'utf8'))
  const answers = await lastLines(path.join(place, 'samples.jsonl'), maxAnswers)
  const shown = answers.map(async one =>
    withPicture(withStatements(one), await evaluatedPicture(one, { ...from, results })),
  )
  return { object: 'evaluation', name, results, answers: await Promise.all(shown) }
}

/** A file's name becomes the address of its picture: the page is told no path. */
function withPicture(answer: unknown, picture: AnswerPicture): unknown {
  if (typeof answer !== 'object' || answer === null) return answer
  const { picture: _, ...rest } = answer as Record<string, unknown> // an object
  return { ...rest, ...picture }
}

/** The reasoning of an answer taken apart as `qoq eval statements` does it, so that grades of both are of the same statements. */
function withStatements(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null) return answer
  const isWritten = 'response' in answer && typeof answer.response === 'string'
  return { ...answer, statements: isWritten ? responseStatements(String(answer.response)) : [] }
}

/** The last lines of a log; one that is being written is left out. */
async function lastLines(file: string, count: number): Promise<unknown[]> {
  const kept: string[] = []
  const input = createReadStream(file).on('error', () => undefined)
  try {
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      kept.push(line)
      if (kept.length > count) kept.shift()
    }
  } catch {
    return []
  }
  return kept.flatMap(line => {
    try {
      return [JSON.parse(line) as unknown]
    } catch {
      return []
    }
  })
}

import type { DatasetDefinition } from '../dataset/dataset.ts'
import type { Sample } from '../sample/sample.ts'
import { hashFraction } from '../sample/stable-hash.ts'
import { contactSheet, type SheetSection } from './contact-sheet.ts'
import { svgToPng } from './svg-drawing.ts'

/** A dataset with the samples to choose from. */
export interface PreviewSource {
  readonly definition: DatasetDefinition
  readonly samples: readonly Sample[]
}

/**
 * Draws a contact sheet of datasets as PNG: a few samples of each, as different in their labels as they can be.
 *
 * @param count samples per dataset
 * @throws what the samples' readers throw
 */
export async function previewSheet(
  sources: readonly PreviewSource[],
  { count, seed = 42 }: { readonly count: number; readonly seed?: number },
): Promise<Uint8Array> {
  const sections = sources.map(({ definition, samples }): SheetSection => {
    const isSimulated = definition.access === 'generated'
    const title = `${definition.title}${isSimulated && !/simulated/i.test(definition.title) ? ' (simulated)' : ''}`
    return { title, samples: variedSamples(samples, count, seed) }
  })
  return svgToPng(await contactSheet(sections, headOf(sources)))
}

function headOf(sources: readonly PreviewSource[]): { title: string; note: string } {
  const simulated = sources.filter(({ definition }) => definition.access === 'generated').length
  if (simulated === 0) return { title: 'QoQ-Med contact sheet', note: 'For research only.' }
  const all = simulated === sources.length
  return {
    title: all ? 'QoQ-Med mini clinic: simulated' : 'QoQ-Med contact sheet, partly simulated',
    note: `${all ? 'Every picture and recording is' : 'Sections marked so are'} simulated: no patient is behind ${all ? 'them' : 'those'}. For research only.`,
  }
}

/** Takes one sample of every answer in turn, new patients first, in an order that the seed decides. */
export function variedSamples(samples: readonly Sample[], count: number, seed: number): Sample[] {
  const views = new Map<string, number>()
  const shuffled = samples
    .map(sample => ({ sample, at: hashFraction(`preview|${seed}|${sample.id}`) }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ sample }) => ({ sample, view: nextOf(views, sample.patientId) }))
    .toSorted((a, b) => a.view - b.view)
    .map(({ sample }) => sample)
  const byAnswer = [...Map.groupBy(shuffled, ({ answer }) => answer.join('|')).entries()]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, group]) => group)
  const chosen: Sample[] = []
  for (let round = 0; chosen.length < Math.min(count, samples.length); round++)
    chosen.push(...byAnswer.flatMap(group => group.slice(round, round + 1)))
  return chosen.slice(0, count)
}

function nextOf(counts: Map<string, number>, key: string): number {
  const count = counts.get(key) ?? 0
  counts.set(key, count + 1)
  return count
}

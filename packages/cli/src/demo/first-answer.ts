import path from 'node:path'
import { complete } from '../complete.ts'
import { withPolicy } from '../local-policy.ts'
import type { DemoPlan } from './demo-plan.ts'
import type { DemoRun } from './train-demo.ts'

/**
 * Shows what the model that ships answers about one patient of the demo before anything is trained, so that there is something
 * to read within a minute.
 *
 * @param out the demo's folder, below which the judges lie
 */
export async function showFirstAnswer(plan: DemoPlan, out: string, { output, signal }: DemoRun): Promise<void> {
  const [source] = plan.judges
  if (source === undefined) return
  const { openDataset, presentSample } = await import('@qoq-med/data-climb')
  const { nanoPolicy } = await import('@qoq-med/nano')
  const { samples } = await openDataset(source.dataset, { root: path.resolve(out, source.root) })
  const [sample] = samples
  if (sample === undefined) return
  const { prompt } = await presentSample(sample)
  const { text } = await withPolicy(
    { folder: nanoPolicy.folder, threads: 2, mropeRule: 'legacy', signal },
    output,
    policy =>
      complete(policy, { prompt: policy.model.encode(prompt), maxNewTokens: 128, temperature: 0, seed: 0 }, signal),
  )
  output.note(`Asked: ${sample.question}\n${nanoPolicy.name}: ${text}\nTrue: ${sample.answer.join(', ')}`)
}

import { basename } from 'node:path'
import type { Stage, TrainConfig } from '../config/run-config.ts'
import type { RunPosition } from './run-position.ts'

/** Said in every model folder. */
const notice =
  'Research use only; not a medical device. Do not use its answers to diagnose or treat anyone. Its answers, its reasoning and its boxes can be wrong.'

/**
 * The model card of a folder that a run writes, in Markdown with the front matter of the Hugging Face Hub: what it was trained
 * from, on and with, and what it is not for. It names datasets, and nothing of their samples.
 *
 * @param position where the run stood; the end when absent
 */
export function modelCard(config: TrainConfig, position?: RunPosition): string {
  const { name, model, data, seed, rewards, stages } = config
  // A path may say whose machine it was.
  const base = model.checkpoint === undefined ? model.preset : basename(model.checkpoint)
  const datasets = [...new Set(data.sources.map(({ dataset }) => dataset))]
  const reached = position ? `, stopped after step ${position.step} of ${stages[position.stageIndex]!.name}` : ''
  return `---
library_name: qoq-med
pipeline_tag: image-text-to-text
tags: [medical, research]
---

# ${name}

> ${notice}

A QoQ-Med policy, trained from ${base} by \`qoq train\`${reached}. The whole configuration is config.yaml of the run.

| stage | algorithm | steps | learning rate |
| ----- | --------- | ----- | ------------- |
${stages.map(stageRow).join('\n')}

- Datasets: ${datasets.join(', ') || 'samples of the program that trained it'}. Their licences bind the weights, too.
- Rewards: ${typeof rewards === 'string' ? rewards : Object.keys(rewards).join(', ')}. Seed: ${seed}.
`
}

function stageRow({ name, algorithm, steps, learningRate }: Stage): string {
  return `| ${name} | ${algorithm} | ${steps} | ${learningRate} |`
}

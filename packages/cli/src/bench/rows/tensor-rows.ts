import { smolSizes, tinySizes } from '../base/bench-sizes.ts'
import type { BenchRow } from '../base/bench-row.ts'

const tiny = { id: 'tiny', name: 'TINY', decoder: tinySizes, batch: 32, length: 128 }
const smollm2 = { id: 'smollm2', name: 'SmolLM2-135M', decoder: smolSizes, batch: 4, length: 256 }

const compilers = [
  { id: 'eager', name: 'PyTorch', compile: false, ratio: 0.95 },
  { id: 'compiled', name: 'torch.compile', compile: true, ratio: 1 },
] as const

/** A training step beside PyTorch's, and its optimizer alone. */
export const tensorRows: readonly BenchRow[] = [
  ...[tiny, smollm2].flatMap(({ id, name, decoder, batch, length }) =>
    compilers.map((compiler): BenchRow => ({
      name: `tensor/step-${id}-${compiler.id}`,
      work: `forward, backward and AdamW, ${name}, ${batch} × ${length} tokens`,
      measure: 'training-step',
      options: { decoder, batch, length },
      peer: {
        name: compiler.name,
        runtime: 'python',
        script: 'training_step.py',
        devices: ['cuda'],
        options: { compile: compiler.compile },
      },
      figure: 'time',
      unit: 'ms',
      target: { type: 'ratio', value: compiler.ratio },
      memoryTarget: 1.2,
    })),
  ),
  ...(['saved', 'recompute'] as const).map((memory): BenchRow => ({
    name: `tensor/memory-smollm2-${memory}`,
    work: `peak memory of a step of ${smollm2.name} in ${memory} mode`,
    measure: 'training-step',
    options: { decoder: smollm2.decoder, batch: smollm2.batch, length: smollm2.length, memory },
    figure: 'memory',
    unit: 'MB',
    ...(memory === 'saved' && { target: { type: 'limit', value: 4000 } }),
    rounds: 3,
  })),
  {
    name: 'tensor/adamw',
    work: 'AdamW, 135 M parameters',
    measure: 'adamw-step',
    options: { parameters: 135_000_000 },
    peer: { name: 'torch fused', runtime: 'python', script: 'adamw_step.py' },
    figure: 'time',
    unit: 'ms',
    target: { type: 'ratio', value: 1.1 },
    rounds: 12,
  },
]

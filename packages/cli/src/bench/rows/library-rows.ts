import type { BenchRow } from '../bench-row.ts'

/** What the libraries around the model take (drpo.md, rewards.md, evaluation.md). */
export const libraryRows: readonly BenchRow[] = [
  {
    name: 'drpo/512',
    work: 'DRPO, 512 questions × 5 responses, 9 domains',
    measure: 'drpo',
    options: { questions: 512, groupSize: 5 },
    figure: 'time',
    unit: 'ms',
    target: { type: 'limit', value: 10 },
    rounds: 40,
  },
  {
    name: 'drpo/8192',
    work: 'DRPO, 8,192 questions × 5 responses, 9 domains',
    measure: 'drpo',
    options: { questions: 8192, groupSize: 5 },
    figure: 'time',
    unit: 'ms',
    target: { type: 'limit', value: 200 },
    rounds: 10,
  },
  {
    name: 'rewards/step',
    work: 'rewards of 512 × 5 responses of 4,000 characters, a new mask of 512 × 512 per question',
    measure: 'score-responses',
    options: { questions: 512, groupSize: 5, characters: 4000, maskSide: 512 },
    figure: 'time',
    unit: 'ms',
    target: { type: 'limit', value: 150 },
    rounds: 10,
  },
  {
    name: 'eval/metrics',
    work: 'all metrics of 100,000 rows × 14 labels',
    measure: 'metrics',
    options: { rows: 100_000, labels: 14, rowsPerPatient: 3.4, intervals: false },
    figure: 'time',
    unit: 'ms',
    target: { type: 'limit', value: 30 },
    rounds: 10,
  },
  {
    name: 'eval/intervals',
    work: 'bootstrap of 100,000 rows × 14 labels, 1,000 redraws of 29,412 patients',
    measure: 'metrics',
    options: { rows: 100_000, labels: 14, rowsPerPatient: 3.4, intervals: true },
    figure: 'time',
    unit: 'ms',
    target: { type: 'limit', value: 800 },
  },
]

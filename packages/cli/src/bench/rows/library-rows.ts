import type { BenchPeer, BenchRow } from '../base/bench-row.ts'

const python = (name: string, script: string): BenchPeer => ({ name, runtime: 'python', script })
const kMeans = python("scikit-learn's KMeans in the paper's steps", 'drpo.py')

/** What the libraries around the model take. */
export const libraryRows: readonly BenchRow[] = [
  {
    name: 'drpo/512',
    work: 'DRPO, 512 questions × 5 responses, 9 domains',
    measure: 'drpo',
    options: { questions: 512, groupSize: 5 },
    peer: kMeans,
    figure: 'time',
    unit: 'ms',
    target: { type: 'ratio', value: 0.05 },
    rounds: 40,
  },
  {
    name: 'drpo/8192',
    work: 'DRPO, 8,192 questions × 5 responses, 9 domains',
    measure: 'drpo',
    options: { questions: 8192, groupSize: 5 },
    peer: kMeans,
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
    peer: python('re, json and NumPy', 'score_responses.py'),
    figure: 'time',
    unit: 'ms',
    target: { type: 'limit', value: 150 },
    rounds: 10,
  },
  {
    name: 'server/http-share',
    work: 'rewards and advantages of 512 × 5 responses of 4,000 characters over HTTP, as a share of a step',
    measure: 'http-share',
    // The step of trainer/drpo-step-tiny, 2.15 s for 64 rollouts of 64 tokens, at 2,560: that of any larger policy is longer.
    options: { questions: 512, groupSize: 5, characters: 4000, stepSeconds: 86 },
    figure: 'value',
    unit: 'of a step',
    target: { type: 'limit', value: 0.01 },
    rounds: 5,
  },
  {
    name: 'eval/metrics',
    work: 'all metrics of 100,000 rows × 14 labels',
    measure: 'metrics',
    options: { rows: 100_000, labels: 14, rowsPerPatient: 3.4, intervals: false },
    peer: python('scikit-learn', 'metrics.py'),
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
    peer: python('NumPy', 'metrics.py'),
    figure: 'time',
    unit: 'ms',
    target: { type: 'limit', value: 800 },
  },
]

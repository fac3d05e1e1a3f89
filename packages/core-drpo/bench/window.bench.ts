// What the cheaper search of `drpo-recommended` loses against ten restarts, and what the preset costs beside plain DRPO.
// Run: node --conditions=@qoq-med/source packages/core-drpo/bench/window.bench.ts [windows per row]
import type { DrpoAdvantages, DrpoOptions } from '../src/index.ts'
import { drpoAdvantages, drpoRecommended } from '../src/drpo.ts'
import { drawRewardBatch, rewardKinds } from '../test/reward-batches.ts'

const thorough = { restarts: 10, candidates: 0 } as const
const windows = Number(process.argv[2] ?? 40)

/** What one search of a window differs from the thorough one in. */
interface Difference {
  /** Inertia above the thorough search's at its k, relative, domain by domain. */
  readonly excesses: readonly number[]
  /** Domains for which another k was chosen. */
  readonly otherK: number
  /** Root mean square of the advantages' difference to that of the advantages. */
  readonly rms: number
}

function compare(got: DrpoAdvantages, want: DrpoAdvantages): Difference {
  const pairs = want.stages!.domains.map((domain, index) => ({ domain, other: got.stages!.domains[index]! }))
  const excesses = pairs.flatMap(({ domain, other }) => {
    const at = Math.min(domain.k, other.inertias.length) - 1
    return domain.inertias[at]! > 1e-9 ? [other.inertias[at]! / domain.inertias[at]! - 1] : []
  })
  const rms = rootMeanSquare(got.advantages.map((value, at) => value - want.advantages[at]!))
  const otherK = pairs.filter(({ domain, other }) => domain.k !== other.k).length / pairs.length
  return { excesses, otherK, rms: rms / rootMeanSquare(want.advantages) }
}

function rootMeanSquare(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length)
}

function tell(differences: readonly Difference[]): string {
  const excesses = differences.flatMap(difference => difference.excesses).toSorted((a, b) => a - b)
  const worst = excesses.at(-1) ?? 0
  const high = excesses[Math.floor(0.95 * (excesses.length - 1))] ?? 0
  const otherK = mean(differences.map(difference => difference.otherK))
  const rms = mean(differences.map(difference => difference.rms))
  return `inertia ${percent(mean(excesses))}, p95 ${percent(high)}, worst ${percent(worst)}; other k ${percent(otherK)}; advantages ${percent(rms)}`
}

function percent(value: number): string {
  return `${(100 * value).toFixed(2)} %`
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value / values.length, 0)
}

for (const kind of rewardKinds)
  for (const questions of [512, 128]) {
    const preset: Difference[] = []
    const chance: Difference[] = []
    for (let window = 0; window < windows; window++) {
      const batch = drawRewardBatch(kind, questions, 2 * window)
      const { state } = drpoRecommended.estimate(drawRewardBatch(kind, questions, 2 * window + 1))
      const run = (options: Partial<DrpoOptions>): DrpoAdvantages => drpoRecommended.estimate(batch, options, { state })
      const want = run(thorough)
      preset.push(compare(run({}), want))
      chance.push(compare(run({ ...thorough, seed: 1 }), want))
    }
    console.log(`${kind}, ${questions} x 5, preset:     ${tell(preset)}`)
    console.log(`${kind}, ${questions} x 5, other seed: ${tell(chance)}`)
  }

/** Median and least milliseconds of each call, made in turn. @param rounds calls of each that count, after twenty that do not */
function timeInTurn(
  calls: readonly ((round: number) => unknown)[],
  rounds: number,
): { median: number; least: number }[] {
  const times = calls.map((): number[] => [])
  for (let round = -20; round < rounds; round++)
    calls.forEach((call, index) => {
      const start = performance.now()
      call(round + 20)
      if (round >= 0) times[index]!.push(performance.now() - start)
    })
  return times.map(own => ({ median: own.toSorted((a, b) => a - b)[own.length >> 1]!, least: Math.min(...own) }))
}

for (const kind of rewardKinds) {
  const steps = Array.from({ length: 5 }, (_, step) => ({
    batch: drawRewardBatch(kind, 512, 2 * step),
    state: drpoRecommended.estimate(drawRewardBatch(kind, 512, 2 * step + 1)).state,
  }))
  const recommended = (round: number, options: Partial<DrpoOptions>): DrpoAdvantages => {
    const { batch, state } = steps[round % steps.length]!
    return drpoRecommended.estimate(batch, options, { state, stages: false })
  }
  const [plain, preset, before] = timeInTurn(
    [
      round => drpoAdvantages(steps[round % steps.length]!.batch, {}, { stages: false }),
      round => recommended(round, {}),
      round => recommended(round, thorough),
    ],
    60,
  )
  const told = [preset!, before!].map(
    ({ median, least }) =>
      `${median.toFixed(2)} ms (${(median / plain!.median).toFixed(2)}; least ${(least / plain!.least).toFixed(2)})`,
  )
  console.log(`${kind}, 512 x 5: plain ${plain!.median.toFixed(2)} ms, preset ${told[0]}, thorough ${told[1]}`)
}

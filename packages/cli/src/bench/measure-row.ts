import { setTimeout as sleep } from 'node:timers/promises'
import { isHintedError } from '@qoq-med/errors'
import type { ExecutorDevice } from '@qoq-med/tensor'
import { figures, type BenchRow, type Round } from './base/bench-row.ts'
import { ownCommand, peerCommand, startMeasurement, type MeasurementProcess } from './measurement-process.ts'

/** What the command line gives to all rows. */
export interface BenchSettings {
  /** Python interpreter with the peers' packages. */
  readonly python?: string | undefined
  /** Folder in which node-llama-cpp is installed. */
  readonly llama?: string | undefined
  /** A language model for the rows that need a real one. */
  readonly gguf?: string | undefined
  /** Folder of real files for the rows that read. */
  readonly data?: string | undefined
  /** Folder of a large checkpoint, beside whose shards may lie `q4_0.gguf` of the same shapes for the peer. */
  readonly large?: string | undefined
  readonly threads: number
  /** Where ours and the peer compute; a row has no ratio where the peer cannot. */
  readonly device: ExecutorDevice
  /** Instead of the row's own number. */
  readonly rounds?: number | undefined
}

/** What one side of a row reached, in the row's unit. */
export interface SideResult {
  readonly name: string
  /** Of the fastest round; of a value the largest. */
  readonly best: number
  readonly median: number
  readonly rounds: readonly Round[]
  readonly peakRssBytes: number
  readonly versions: Readonly<Record<string, string>>
}

/** A figure beside what is wanted. */
export interface Verdict {
  readonly figure: number
  readonly target?: number
  readonly met?: boolean
}

/** What came out of a row. */
export interface RowResult {
  readonly row: BenchRow
  readonly ours?: SideResult
  readonly peer?: SideResult
  /** Ours against the peer, both at their best; a ratio of rates is ours by theirs as well. */
  readonly ratio?: Verdict & { readonly median: number }
  /** Ours alone, where the target is a limit. */
  readonly limit?: Verdict
  readonly memory?: Verdict
  /** Why something is missing. */
  readonly missing?: string
}

const defaultRounds = 5
/** Idle threads of the other side spin for a moment before they sleep. */
const pauseMs = 250

/** Measures a row: both sides are prepared, then work in turn, so that noise meets both. */
export async function measureRow(
  row: BenchRow,
  settings: BenchSettings,
  { signal, onRound }: { readonly signal: AbortSignal; readonly onRound?: (done: number, all: number) => void },
): Promise<RowResult> {
  const options = {
    threads: settings.threads,
    device: settings.device,
    gguf: settings.gguf,
    data: settings.data,
    llama: settings.llama,
    large: settings.large,
    ...row.options,
  }
  if (row.needs && settings[row.needs] === undefined) return { row, missing: `give --${row.needs} to measure it` }
  const open: MeasurementProcess[] = []
  try {
    const ours = await startMeasurement(ownCommand(row.measure, options), { what: row.name, signal })
    if (typeof ours === 'string') return { row, missing: ours }
    open.push(ours)
    const peer = await startPeer(row, settings, { options, signal })
    if (typeof peer === 'object') open.push(peer)
    const rounds = await alternate(open, settings.rounds ?? row.rounds ?? defaultRounds, onRound)
    const sides = open.map((side, i) => {
      const name = i === 0 ? 'qoq' : (row.peer?.name ?? '')
      return sideResult(row, { name, versions: side.versions }, rounds[i]!)
    })
    return { ...compare(row, sides[0]!, sides[1]), ...(typeof peer === 'string' && { missing: peer }) }
  } catch (error) {
    if (signal.aborted || !isHintedError(error)) throw error
    return { row, missing: error.message }
  } finally {
    await Promise.all(open.map(side => side.close()))
  }
}

async function startPeer(
  { name, peer }: BenchRow,
  settings: BenchSettings,
  { options, signal }: { readonly options: object; readonly signal: AbortSignal },
): Promise<MeasurementProcess | string | undefined> {
  if (!peer) return undefined
  if (settings[peer.runtime] === undefined) return `give --${peer.runtime} to measure ${peer.name} beside it`
  const { device } = settings
  if (device !== 'cpu' && !peer.devices?.includes(device)) return `${peer.name} does not compute on ${device} here`
  const program = peer.runtime === 'python' ? settings.python! : process.execPath // present, just checked
  const command = peerCommand(peer, program, { ...options, ...peer.options })
  try {
    const started = await startMeasurement(command, { what: `${peer.name} for ${name}`, signal })
    return typeof started === 'string' ? `${peer.name} is not there: ${started}` : started
  } catch (error) {
    if (signal.aborted || !isHintedError(error)) throw error
    return error.message
  }
}

/** Lets the sides work in turn, once without counting. @returns the rounds of each side */
async function alternate(
  sides: readonly MeasurementProcess[],
  count: number,
  onRound: ((done: number, all: number) => void) | undefined,
): Promise<Round[][]> {
  const rounds = sides.map((): Round[] => [])
  for (let done = -1; done < count; done++) {
    onRound?.(done + 1, count)
    for (const [i, side] of sides.entries()) {
      await sleep(pauseMs)
      const round = await side.round()
      if (done >= 0) rounds[i]!.push(round)
    }
  }
  return rounds
}

/** What seconds and bytes are multiplied with to be in a unit. */
const scales: Readonly<Record<string, number>> = { ms: 1e3, MB: 1e-6 }

/** Sums up the rounds of one side. */
export function sideResult(
  row: BenchRow,
  { name, versions }: Pick<SideResult, 'name' | 'versions'>,
  rounds: readonly Round[],
): SideResult {
  const all = rounds.map(round => figures[row.figure].of(round) * (scales[row.unit] ?? 1))
  const peakRssBytes = Math.max(...rounds.map(round => round.peakRssBytes))
  return { name, best: figures[row.figure].best(all), median: median(all), rounds, peakRssBytes, versions }
}

/** Puts both sides together. */
export function compare(row: BenchRow, ours: SideResult, peer: SideResult | undefined): RowResult {
  const { target, memoryTarget } = row
  const { isMet } = figures[row.figure]
  const verdict = (figure: number, wanted: number | undefined, met = isMet): Verdict => ({
    figure,
    ...(wanted !== undefined && { target: wanted, met: met(figure, wanted) }),
  })
  const wanted = (type: 'ratio' | 'limit'): number | undefined => (target?.type === type ? target.value : undefined)
  return {
    row,
    ours,
    ...(target?.type === 'limit' && { limit: verdict(ours.best, wanted('limit')) }),
    ...(peer && {
      peer,
      ratio: { ...verdict(ours.best / peer.best, wanted('ratio')), median: ours.median / peer.median },
      memory: verdict(ours.peakRssBytes / peer.peakRssBytes, memoryTarget, figures.time.isMet),
    }),
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[sorted.length >> 1] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[sorted.length / 2 - 1] ?? upper)) / 2
}

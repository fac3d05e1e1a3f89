import type { HeartState } from './ecg-conditions.ts'
import type { DipoleWave } from './ecg-dipole.ts'

type Triple = readonly [number, number, number]

/**
 * A heart between a healthy one and what a condition has made of it: rate, rhythm and every wave in between, waves that only
 * one of them has smaller or larger. Ectopic beats come as they do in the condition, or, below a half, not at all.
 *
 * @param severity 0 is the healthy heart, 1 the sick one
 */
export function heartBetween(healthy: HeartState, sick: HeartState, severity: number): HeartState {
  if (severity >= 1) return sick
  const between = (a: number, b: number): number => a + severity * (b - a)
  const wave = (name: string): DipoleWave => {
    const [from, to] = [healthy.shape[name], sick.shape[name]]
    const [a, b] = [from ?? { ...to!, mv: nothing }, to ?? { ...from!, mv: nothing }] // one of them has it
    const mv = [between(a.mv[0], b.mv[0]), between(a.mv[1], b.mv[1]), between(a.mv[2], b.mv[2])] as const
    return {
      ...b,
      mv,
      atSeconds: between(a.atSeconds, b.atSeconds),
      widthSeconds: between(a.widthSeconds, b.widthSeconds),
    }
  }
  const names = new Set([...Object.keys(healthy.shape), ...Object.keys(sick.shape)])
  const { atrialWaves } = sick
  return {
    rateBpm: between(healthy.rateBpm, sick.rateBpm),
    irregularity: between(healthy.irregularity, sick.irregularity),
    shape: Object.fromEntries([...names].map(name => [name, wave(name)])),
    ...(atrialWaves && { atrialWaves: { ...atrialWaves, amplitudeMv: severity * atrialWaves.amplitudeMv } }),
    ectopicEvery: severity < 0.5 ? healthy.ectopicEvery : sick.ectopicEvery,
  }
}

const nothing: Triple = [0, 0, 0]

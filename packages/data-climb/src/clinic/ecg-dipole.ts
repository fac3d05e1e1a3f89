/**
 * One wave of a heartbeat: a Gaussian bump of the heart's electric dipole.
 * Axes: x to the patient's left, y to the feet, z to the back.
 */
export interface DipoleWave {
  /** Peak of the dipole, in millivolts of the Frank leads. */
  readonly mv: readonly [number, number, number]
  /** Time of the peak after the R peak, seconds; `recovery` waves stretch with the square root of the RR interval. */
  readonly atSeconds: number
  readonly widthSeconds: number
  readonly isRecovery?: boolean
}

/** A beat: when its R peak comes, the RR interval before it, and its waves. */
export interface Beat {
  readonly atSeconds: number
  readonly rrSeconds: number
  readonly waves: readonly DipoleWave[]
}

/** The dipole over time: one array per axis. */
export type DipolePath = readonly [Float64Array, Float64Array, Float64Array]

/** The RR interval at which recovery times are given: 75 beats per minute. */
const referenceRrSeconds = 0.8
/** Waves are cut where they fall below 0.04 % of their peak. */
const cutWidths = 4

/**
 * Adds up the waves of all beats: the dipole form (Sameni et al. 2007) of the ECGSYN model (McSharry et al. 2003), in
 * which each wave is a Gaussian in time about its beat.
 *
 * @param samples length of the path
 */
export function dipolePath(
  beats: readonly Beat[],
  { samples, samplingRateHz }: { readonly samples: number; readonly samplingRateHz: number },
): DipolePath {
  const path: DipolePath = [new Float64Array(samples), new Float64Array(samples), new Float64Array(samples)]
  for (const beat of beats)
    for (const wave of beat.waves) {
      const stretch = wave.isRecovery ? Math.sqrt(beat.rrSeconds / referenceRrSeconds) : 1
      const center = (beat.atSeconds + wave.atSeconds * stretch) * samplingRateHz
      const width = wave.widthSeconds * stretch * samplingRateHz
      const end = Math.min(samples, Math.ceil(center + cutWidths * width))
      for (let i = Math.max(0, Math.floor(center - cutWidths * width)); i < end; i++) {
        const bump = Math.exp(-0.5 * ((i - center) / width) ** 2)
        for (const axis of [0, 1, 2] as const) path[axis][i]! += wave.mv[axis] * bump
      }
    }
  return path
}

/** Dower's transform (1980) from the dipole to the eight independent leads. */
const dower = {
  I: [0.632, -0.235, 0.059],
  II: [0.235, 1.066, -0.132],
  V1: [-0.515, 0.157, -0.917],
  V2: [0.044, 0.164, -1.387],
  V3: [0.882, 0.098, -1.277],
  V4: [1.213, 0.127, -0.601],
  V5: [1.125, 0.127, -0.086],
  V6: [0.831, 0.076, 0.23],
} as const

/** The twelve leads in their usual order. */
export const ecgLeads = ['I', 'II', 'III', 'aVR', 'aVL', 'aVF', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6'] as const

/** Projects a dipole onto the twelve leads; III, aVR, aVL and aVF follow from I and II (Einthoven, Goldberger). */
export function projectLeads([x, y, z]: DipolePath): Record<(typeof ecgLeads)[number], Float64Array> {
  const lead = ([a, b, c]: readonly [number, number, number]) => x.map((value, i) => a * value + b * y[i]! + c * z[i]!) // one length
  const I = lead(dower.I)
  const II = lead(dower.II)
  return {
    I,
    II,
    III: II.map((value, i) => value - I[i]!), // I and II have one length, here and below
    aVR: II.map((value, i) => -(value + I[i]!) / 2),
    aVL: I.map((value, i) => value - II[i]! / 2),
    aVF: II.map((value, i) => value - I[i]! / 2),
    V1: lead(dower.V1),
    V2: lead(dower.V2),
    V3: lead(dower.V3),
    V4: lead(dower.V4),
    V5: lead(dower.V5),
    V6: lead(dower.V6),
  }
}

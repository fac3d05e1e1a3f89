import type { DipoleWave } from './ecg-dipole.ts'
import type { RandomStream } from './random-stream.ts'

/** The waves of a beat by name, so that a condition can change one. */
type BeatShape = Readonly<Record<string, DipoleWave>>

/** How the heart beats and what its beats look like. */
export interface HeartState {
  readonly rateBpm: number
  /** Standard deviation of the RR interval over its mean. */
  readonly irregularity: number
  readonly shape: BeatShape
  /** Fibrillation or flutter waves of the atria, where they replace P waves. */
  readonly atrialWaves?: { readonly rateHz: number; readonly amplitudeMv: number; readonly isRegular: boolean }
  /** Every how many beats one comes early from the ventricles; 0 is never. */
  readonly ectopicEvery: number
}

/** One form of a class: how often it is met, its code, what it says of itself, and what it does to a normal heart. */
export interface EcgCondition {
  readonly label: string
  /** SNOMED CT code written into the header, as the Challenge sets do. */
  readonly snomed: string
  /** Completes "there is …". */
  readonly description: string
  readonly apply: (heart: HeartState, random: RandomStream) => HeartState
}

/** A healthy heart in sinus rhythm. */
export function normalHeart(random: RandomStream): HeartState {
  const size = random.between(0.85, 1.2)
  const tilt = random.between(-0.15, 0.15)
  const wave = (
    mv: readonly [number, number, number],
    atMs: number,
    widthMs: number,
    isRecovery = false,
  ): DipoleWave => ({
    mv: [size * (mv[0] - tilt * mv[1]), size * (mv[1] + tilt * mv[0]), size * mv[2]],
    atSeconds: atMs / 1000,
    widthSeconds: widthMs / 1000,
    isRecovery,
  })
  return {
    rateBpm: random.between(60, 95),
    irregularity: 0.02,
    ectopicEvery: 0,
    shape: {
      p: wave([0.08, 0.13, -0.02], -160, 22),
      q: wave([-0.12, -0.06, -0.24], -26, 9),
      r: wave([0.95, 0.85, 0.15], 0, 11),
      s: wave([-0.1, -0.08, 0.5], 26, 11),
      t: wave([0.3, 0.25, -0.2], 290, 48, true),
    },
  }
}

const change = (heart: HeartState, waves: Readonly<Record<string, Partial<DipoleWave>>>): HeartState => ({
  ...heart,
  shape: Object.fromEntries(
    [...new Set([...Object.keys(heart.shape), ...Object.keys(waves)])].map(name => [
      name,
      { mv: [0, 0, 0], atSeconds: 0, widthSeconds: 0.02, ...heart.shape[name], ...waves[name] },
    ]),
  ),
})

const scaled = (heart: HeartState, name: string, [x, y, z]: readonly [number, number, number]): Partial<DipoleWave> => {
  const [a, b, c] = heart.shape[name]?.mv ?? [0, 0, 0]
  return { mv: [a * x, b * y, c * z] }
}

const without = (heart: HeartState, name: string): HeartState => change(heart, { [name]: { mv: [0, 0, 0] } })

/** A slow wave between QRS and T that lifts (positive) or lowers the ST segment along a direction. */
const stShift = (mv: readonly [number, number, number]): Record<string, Partial<DipoleWave>> => ({
  st: { mv, atSeconds: 0.13, widthSeconds: 0.055, isRecovery: true },
})

/** Every condition of the mini clinic; the classes are those of the paper's ECG sets. */
export const ecgConditions: readonly [EcgCondition, ...EcgCondition[]] = [
  {
    label: 'Normal',
    snomed: '426783006',
    description: 'a regular sinus rhythm with normal waves',
    apply: heart => heart,
  },
  {
    label: 'Normal',
    snomed: '427084000',
    description: 'a fast but regular sinus rhythm with normal waves',
    apply: (heart, random) => ({ ...heart, rateBpm: random.between(105, 135) }),
  },
  {
    label: 'Normal',
    snomed: '426177001',
    description: 'a slow but regular sinus rhythm with normal waves',
    apply: (heart, random) => ({ ...heart, rateBpm: random.between(42, 54) }),
  },
  {
    label: 'A. Fib/Aflutter',
    snomed: '164889003',
    description: 'an irregular rhythm without P waves',
    apply: (heart, random) => ({
      ...without(heart, 'p'),
      rateBpm: random.between(80, 140),
      irregularity: 0.24,
      atrialWaves: { rateHz: random.between(5, 8), amplitudeMv: random.between(0.06, 0.11), isRegular: false },
    }),
  },
  {
    label: 'A. Fib/Aflutter',
    snomed: '164890007',
    description: 'a saw-tooth baseline instead of P waves',
    apply: (heart, random) => ({
      ...without(heart, 'p'),
      rateBpm: random.pick([75, 100, 150]),
      irregularity: 0.01,
      atrialWaves: { rateHz: 5, amplitudeMv: random.between(0.15, 0.22), isRegular: true },
    }),
  },
  {
    label: 'Conduction Delay',
    snomed: '164909002',
    description: 'a wide QRS with a deep S in V1 and a broad R in V6',
    apply: heart =>
      change(heart, {
        q: { mv: [0.15, 0.05, 0.15] },
        r: { mv: [0.9, 0.35, 0.75], atSeconds: 0.005, widthSeconds: 0.026 },
        s: { mv: [0.75, 0.2, 0.55], atSeconds: 0.065, widthSeconds: 0.024 },
        t: { mv: [-0.4, -0.1, -0.3] },
      }),
  },
  {
    label: 'Conduction Delay',
    snomed: '59118001',
    description: 'a wide QRS with a second R in V1 and a broad S in I',
    apply: heart =>
      change(heart, {
        late: { mv: [-0.75, -0.05, -0.65], atSeconds: 0.065, widthSeconds: 0.022 },
        t: { mv: [0.35, 0.2, 0.25] },
      }),
  },
  {
    label: 'Conduction Delay',
    snomed: '270492004',
    description: 'a long PR interval',
    apply: heart => change(heart, { p: { atSeconds: -0.31 } }),
  },
  {
    label: 'Hypertrophy',
    snomed: '164873001',
    description: 'tall R waves with ST strain in the lateral leads',
    apply: (heart, random) => {
      const size = random.between(1.8, 2.3)
      return change(heart, {
        r: scaled(heart, 'r', [size, size * 0.8, size]),
        s: scaled(heart, 's', [1, 1, size * 1.3]),
        t: { mv: [-0.3, -0.08, -0.1] },
        ...stShift([-0.14, -0.04, -0.06]),
      })
    },
  },
  {
    label: 'Myocardial Infarction',
    snomed: '164865005',
    description: 'ST elevation with Q waves in the inferior leads and ST depression in aVL',
    apply: (heart, random) =>
      change(heart, {
        q: { mv: [0.05, -0.65, -0.1], widthSeconds: 0.016, atSeconds: -0.032 },
        ...stShift([-0.08, random.between(0.28, 0.42), 0.03]),
      }),
  },
  {
    label: 'Myocardial Infarction',
    snomed: '54329005',
    description: 'ST elevation with Q waves in V1 to V4',
    apply: (heart, random) =>
      change(heart, {
        q: { mv: [-0.05, -0.02, 0.55], widthSeconds: 0.016, atSeconds: -0.03 },
        ...stShift([0.12, -0.05, -random.between(0.25, 0.38)]),
      }),
  },
  {
    label: 'STTC',
    snomed: '59931005',
    description: 'T wave inversion in the lateral leads',
    apply: heart => change(heart, { t: { mv: [-0.34, -0.24, 0.02] } }),
  },
  {
    label: 'STTC',
    snomed: '429622005',
    description: 'ST depression in many leads',
    apply: (heart, random) => {
      const depth = random.between(0.16, 0.24)
      return change(heart, { ...stShift([-depth, -depth, 0.02]), t: scaled(heart, 't', [0.5, 0.5, 0.5]) })
    },
  },
  {
    label: 'Other',
    snomed: '427172004',
    description: 'early wide beats from the ventricles',
    apply: (heart, random) => ({ ...heart, ectopicEvery: random.pick([3, 4]) }),
  },
  {
    label: 'Other',
    snomed: '251146004',
    description: 'low voltage in all leads',
    apply: heart =>
      change(
        heart,
        Object.fromEntries(['p', 'q', 'r', 's', 't'].map(name => [name, scaled(heart, name, [0.3, 0.3, 0.3])])),
      ),
  },
]

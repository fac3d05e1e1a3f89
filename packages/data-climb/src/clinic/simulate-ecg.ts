import type { EcgRecording } from '../sample/sample.ts'
import type { HeartState } from './ecg-conditions.ts'
import { dipolePath, ecgLeads, projectLeads, type Beat, type DipolePath, type DipoleWave } from './ecg-dipole.ts'
import type { RandomStream } from './random-stream.ts'

/** Length and rate of a simulated recording, those of most real ones. */
const seconds = 10
const samplingRateHz = 500
const samples = seconds * samplingRateHz

/** A beat that starts in a ventricle: wide, early, with an opposite T wave and no P wave. */
const ectopicWaves: readonly DipoleWave[] = [
  { mv: [-0.9, 0.9, 1.1], atSeconds: 0.02, widthSeconds: 0.036 },
  { mv: [0.5, -0.45, -0.45], atSeconds: 0.3, widthSeconds: 0.06, isRecovery: true },
]

/**
 * Simulates ten seconds of a twelve-lead ECG at 500 Hz: beats with respiratory variation of their rhythm, waves as
 * Gaussian bumps of a dipole (ECGSYN), projected to the leads, with baseline wander, mains hum and noise.
 */
export function simulateEcg(heart: HeartState, random: RandomStream): EcgRecording {
  const path = dipolePath(beatsOf(heart, random), { samples, samplingRateHz })
  if (heart.atrialWaves) addAtrialWaves(path, heart.atrialWaves, random)
  const leads = projectLeads(path)
  return {
    leads: ecgLeads,
    samplingRateHz,
    signalMv: ecgLeads.map(lead => addArtefacts(leads[lead], random)),
  }
}

function beatsOf(heart: HeartState, random: RandomStream): Beat[] {
  const waves = Object.values(heart.shape)
  const meanRr = 60 / heart.rateBpm
  const phase = random.between(0, 2 * Math.PI)
  const beats: Beat[] = []
  let at = -random.between(0, meanRr)
  for (let count = 1; at < seconds + 1; count++) {
    const isEctopic = heart.ectopicEvery > 0 && count % heart.ectopicEvery === 0
    const followsEctopic = heart.ectopicEvery > 0 && count % heart.ectopicEvery === 1 && count > 1
    const breathing = 1 + 0.03 * Math.sin(2 * Math.PI * 0.25 * at + phase) + 0.015 * Math.sin(2 * Math.PI * 0.1 * at)
    const drawn = meanRr * breathing * Math.exp(heart.irregularity * random.normal())
    const rrSeconds = Math.max(0.28, drawn * (isEctopic ? 0.62 : followsEctopic ? 1.38 : 1))
    at += rrSeconds
    beats.push({ atSeconds: at, rrSeconds, waves: isEctopic ? ectopicWaves : waves })
  }
  return beats
}

/** Fibrillation wanders in rate and size; flutter is a saw-tooth seen best in II, III and aVF. */
function addAtrialWaves(path: DipolePath, waves: NonNullable<HeartState['atrialWaves']>, random: RandomStream): void {
  const direction = waves.isRegular ? [0.1, 1, -0.2] : [0.25, 0.5, -0.8]
  const wobble = random.between(0.3, 0.7)
  let phase = random.uniform()
  for (let i = 0; i < samples; i++) {
    const drift = waves.isRegular ? 1 : 1 + 0.25 * Math.sin((2 * Math.PI * wobble * i) / samplingRateHz)
    phase = (phase + (waves.rateHz * drift) / samplingRateHz) % 1
    const level = waves.isRegular
      ? (phase < 0.7 ? phase / 0.7 : (1 - phase) / 0.3) - 0.5
      : Math.sin(2 * Math.PI * phase)
    for (const axis of [0, 1, 2] as const) path[axis][i]! += waves.amplitudeMv * direction[axis]! * drift * level
  }
}

function addArtefacts(lead: Float64Array, random: RandomStream): Float32Array {
  const wander = {
    mv: random.between(0.01, 0.05),
    hz: random.between(0.15, 0.4),
    phase: random.between(0, 2 * Math.PI),
  }
  const humMv = random.between(0, 0.008)
  const noiseMv = random.between(0.006, 0.016)
  return Float32Array.from(lead, (mv, i) => {
    const t = (2 * Math.PI * i) / samplingRateHz
    return (
      mv + wander.mv * Math.sin(wander.hz * t + wander.phase) + humMv * Math.sin(50 * t) + noiseMv * random.normal()
    )
  })
}

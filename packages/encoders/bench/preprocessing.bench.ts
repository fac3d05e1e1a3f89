// Speed of what runs before a graph: node --conditions=@qoq-med/source packages/encoders/bench/preprocessing.bench.ts
import { jepaLeads, preprocessEcg, processImage, type RgbImage } from '../src/index.ts'
import { smallestMs } from './smallest-time.ts'

function noise(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 2_654_435_761) >>> 24)
}

for (const [width, height] of [
  [512, 512],
  [1024, 768],
  [2048, 2048],
] as const) {
  const image: RgbImage = { width, height, data: noise(width * height * 3) }
  const ms = await smallestMs(15, () => processImage(image))
  console.log(`image ${width} x ${height} to patches: ${ms.toFixed(1)} ms, ${(1000 / ms).toFixed(0)} per second`)
}
for (const [samplingRateHz, seconds] of [
  [500, 10],
  [360, 10],
  [257, 10],
  [1000, 24],
] as const) {
  const signalMv = jepaLeads.map((_, lead) =>
    Float32Array.from({ length: samplingRateHz * seconds }, (_sample, i) => Math.sin(i / 9 + lead)),
  )
  const ms = await smallestMs(60, () => preprocessEcg({ leads: jepaLeads, samplingRateHz, signalMv }))
  console.log(`ECG ${seconds} s at ${samplingRateHz} Hz: ${ms.toFixed(2)} ms, ${(1000 / ms).toFixed(0)} per second`)
}

// The process that measures our side of a row: measurement-worker.ts NAME OPTIONS. measurement-protocol.ts has what it says.
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { measureNamed } from './measures.ts'
import type { MeasurementLine } from './measurement-protocol.ts'
import { ownVersions, peakRssBytes } from './machine.ts'

const [name = '', options = '{}'] = process.argv.slice(2)
const say = (line: MeasurementLine): void => void writeSync(1, `${JSON.stringify(line)}\n`)

const prepare = await measureNamed(name)
const measurement = await prepare(JSON.parse(options))
say({ type: 'ready', versions: ownVersions() })
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
while ((await lines.next()).done !== true) {
  const began = performance.now()
  const facts = await measurement.round()
  const seconds = (performance.now() - began) / 1000
  say({ type: 'round', seconds, ...facts, peakRssBytes: peakRssBytes() })
}
await measurement.close?.()

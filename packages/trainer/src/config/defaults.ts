import { deviceAliases } from '@qoq-med/tensor'
import { algorithms, type AlgorithmRow } from './algorithms.ts'
import { runPresets } from './presets.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * Fills in what a configuration leaves out and its preset or the algorithm of a stage decides. What is given stays; what
 * is malformed is left for the schema to name.
 */
export function withDefaults(given: unknown): unknown {
  if (!isFields(given)) return given
  const preset = presetOf(given)
  const config = merged(preset.run, withNamedDevice(given))
  if (!Array.isArray(given['stages'])) return config
  return { ...config, stages: given['stages'].map((stage: unknown) => stageWith(stage, preset)) }
}

/** A device by the name that it has here. */
function withNamedDevice(given: Fields): Fields {
  const { device } = given
  const named = typeof device === 'string' && Object.hasOwn(deviceAliases, device) ? deviceAliases[device] : undefined
  return named === undefined ? given : { ...given, device: named }
}

function presetOf({ preset }: Fields): (typeof runPresets)[keyof typeof runPresets] | typeof nothing {
  const found = Object.entries(runPresets).find(([name]) => name === preset)
  return found ? found[1] : nothing
}

const nothing = { run: {}, sft: {}, policy: {}, algorithms: {} }

function stageWith(stage: unknown, preset: ReturnType<typeof presetOf>): unknown {
  if (!isFields(stage)) return stage
  const { algorithm } = stage
  if (algorithm === 'sft') return merged(preset.sft, stage)
  const row = Object.entries<AlgorithmRow>(algorithms).find(([name]) => name === algorithm)?.[1]
  if (row === undefined) return stage
  const own = row.defaults ?? {}
  const filled = merged(merged(merged(preset.policy, own), rowOf(preset.algorithms, algorithm)), stage)
  // A stage is so many steps or so many epochs long: what is written stands for what the preset has.
  return 'steps' in stage ? { ...filled, epochs: stage['epochs'] } : filled
}

function rowOf(table: Fields, name: unknown): Fields {
  const row = Object.entries(table).find(([key]) => key === name)?.[1]
  return isFields(row) ? row : {}
}

/** Fields of `above` over those of `below`, nested objects alike. */
function merged(below: Fields, above: Fields): Fields {
  const both = Object.entries(above).map(([name, value]) => {
    const under = rowOf(below, name)
    return [name, isFields(value) && Object.keys(under).length > 0 ? merged(under, value) : value] as const
  })
  return { ...below, ...Object.fromEntries(both) }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

import { readFile } from 'node:fs/promises'
import { nearestName, schemaProblem } from '@qoq-med/errors'
import { parse, stringify } from 'yaml'
import type { z } from 'zod'
import { policyAlgorithms } from './algorithms.ts'
import { TrainConfigSchema, type TrainConfig } from './run-config.ts'
import { trainerErrors } from '../errors.ts'
import { checkNames } from './check-names.ts'
import { withDefaults } from './defaults.ts'

/**
 * Reads a run's configuration from a YAML file.
 *
 * @param overrides `path=value` pairs, such as `stages.1.steps=20`; values are YAML
 * @throws TRAINER_CONFIG_MISSING, TRAINER_CONFIG_SYNTAX, TRAINER_CONFIG_UNKNOWN, TRAINER_CONFIG_FIELD, TRAINER_OVERRIDE
 */
export async function loadConfig(file: string, overrides: readonly string[] = []): Promise<TrainConfig> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw trainerErrors.CONFIG_MISSING({ file }, { cause })
  })
  return parseConfig(parsedFile(file, text), overrides)
}

function parsedFile(file: string, text: string): unknown {
  try {
    return parse(text)
  } catch (cause) {
    // A YAMLParseError, or a ReferenceError for aliases without an anchor or too many of them.
    const [line] = (cause instanceof Error ? cause.message : '').split('\n')
    throw trainerErrors.CONFIG_SYNTAX({ file, reason: line?.replace(/:$/, '') || 'it cannot be parsed' }, { cause })
  }
}

/**
 * Checks a configuration and fills in its defaults: those of its preset, of its algorithms, then the schema's.
 *
 * @throws TRAINER_CONFIG_UNKNOWN, TRAINER_CONFIG_FIELD, TRAINER_OVERRIDE, and the REWARDS and DRPO errors of names and options
 *   that these packages do not know
 */
export function parseConfig(value: unknown, overrides: readonly string[] = []): TrainConfig {
  const given = withDefaults(overrides.reduce(applyOverride, value))
  const result = TrainConfigSchema.safeParse(given)
  if (!result.success) throw configError(result.error.issues[0]!, given)
  checkNames(result.data)
  return result.data
}

/** Writes a configuration as YAML that `loadConfig` reads. */
export function configText(config: TrainConfig): string {
  return stringify(config)
}

function applyOverride(value: unknown, override: string): unknown {
  const equals = override.indexOf('=')
  if (equals <= 0) throw trainerErrors.OVERRIDE({ override })
  const path = override.slice(0, equals).split('.')
  return withValue(value, path, leafOf(override, override.slice(equals + 1)))
}

function leafOf(override: string, text: string): unknown {
  try {
    return parse(text)
  } catch (cause) {
    throw trainerErrors.OVERRIDE({ override }, { cause })
  }
}

function withValue(
  value: unknown,
  [key, ...rest]: readonly string[],
  leaf: unknown,
  done: readonly string[] = [],
): unknown {
  if (key === undefined) return leaf
  if (Array.isArray(value)) {
    const places = [...value.keys()].map(String)
    if (!places.includes(key)) throw trainerErrors.CONFIG_UNKNOWN({ field: [...done, key].join('.') })
    return value.with(Number(key), withValue(value[Number(key)], rest, leaf, [...done, key]))
  }
  const object = typeof value === 'object' && value !== null ? value : {}
  const child = Object.entries(object).find(([name]) => name === key)?.[1]
  return { ...object, [key]: withValue(child, rest, leaf, [...done, key]) }
}

function configError(issue: z.core.$ZodIssue, given: unknown): Error {
  const field = fieldName(issue.path, given)
  if (issue.code === 'unrecognized_keys') {
    const [key] = issue.keys
    const known = knownFields(issue.path, given)
    const unknown = [field, key].filter(part => part !== '').join('.')
    return trainerErrors.CONFIG_UNKNOWN({ field: unknown, nearest: nearestName(key ?? '', known) })
  }
  const isAlgorithm = issue.code === 'invalid_union' && issue.path.at(-1) === 'algorithm'
  const choices = { code: 'invalid_value', message: 'Invalid', values: ['sft', 'ecg-pretrain', ...policyAlgorithms] }
  const problem = schemaProblem(isAlgorithm ? choices : issue, valueAt(issue.path, given))
  const reason = /^(must|is|has|does) /.test(problem) ? `it ${problem}` : problem
  return trainerErrors.CONFIG_FIELD({ field: field || 'the top level', reason })
}

function valueAt(path: readonly PropertyKey[], given: unknown): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).find(([name]) => name === String(key))?.[1]
        : undefined,
    given,
  )
}

/** The path of a field; a stage is called by its name, which a reader finds more easily than its number. */
function fieldName(path: readonly PropertyKey[], given: unknown): string {
  let value = given
  return path
    .map(key => {
      value =
        typeof value === 'object' && value !== null
          ? Object.entries(value).find(([name]) => name === String(key))?.[1]
          : undefined
      const name = typeof value === 'object' && value !== null && 'name' in value ? ` ("${String(value.name)}")` : ''
      return `${String(key)}${typeof key === 'number' ? name : ''}`
    })
    .join('.')
}

/** Field names that are valid at a path. */
function knownFields(path: readonly PropertyKey[], given: unknown): string[] {
  let schema: unknown = TrainConfigSchema
  let value = given
  for (const key of path) {
    value =
      typeof value === 'object' && value !== null
        ? Object.entries(value).find(([name]) => name === String(key))?.[1]
        : undefined
    schema = childSchema(unwrapped(schema), key, value)
  }
  const shape = shapeOf(unwrapped(schema))
  return shape ? Object.keys(shape) : []
}

interface SchemaNode {
  readonly def: {
    readonly type: string
    readonly innerType?: unknown
    readonly element?: unknown
    readonly shape?: Readonly<Record<string, unknown>>
    readonly options?: readonly unknown[]
  }
}

/** Looks through defaults and optional marks. */
function unwrapped(schema: unknown): SchemaNode {
  const node = schema as SchemaNode // every zod 4 schema has `def`
  return node.def.innerType === undefined ? node : unwrapped(node.def.innerType)
}

function shapeOf(node: SchemaNode): Readonly<Record<string, unknown>> | undefined {
  return node.def.shape
}

function childSchema(node: SchemaNode, key: PropertyKey, value: unknown): unknown {
  const child = node.def.element ?? node.def.shape?.[String(key)]
  const inner = unwrapped(child)
  if (!inner.def.options) return child
  const algorithm = typeof value === 'object' && value !== null && 'algorithm' in value ? value.algorithm : undefined
  return inner.def.options.find(option => takes(shapeOf(unwrapped(option))?.['algorithm'], algorithm)) ?? child
}

/** Tells whether a schema takes a value. */
function takes(schema: unknown, value: unknown): boolean {
  return schema !== undefined && (schema as z.ZodType).safeParse(value).success // a field of a zod object
}

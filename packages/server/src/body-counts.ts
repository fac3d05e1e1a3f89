import { rewardBatchFields } from '@qoq-med/core-drpo'
import { requireAtMost, type ServerLimits } from './limits.ts'
import { isFields, listOf } from './json-values.ts'

/**
 * Counts what a body holds before it is looked at closer: a validator that goes through half a million messages takes a
 * minute, and nobody else is served meanwhile.
 *
 * @param body as it was parsed, of any shape
 * @throws SERVER_LIMIT_EXCEEDED
 */
export function requireFewParts(body: unknown, limits: ServerLimits): void {
  if (!isFields(body)) return
  const messages = listOf(body['messages'])
  requireAtMost(limits.messages, messages.length, 'messages')
  requireAtMost(limits.rows, listOf(body['completions']).length, 'completions')
  const parts = messages.flatMap(message => (isFields(message) ? listOf(message['content']) : []))
  requireAtMost(limits.parts, parts.length, 'parts of messages')
  requireAtMost(
    limits.metadataKeys,
    isFields(body['metadata']) ? Object.keys(body['metadata']).length : 0,
    'metadata keys',
  )
  const stops = [body['stop']].flat().map(stop => (typeof stop === 'string' ? stop.length : 0))
  requireAtMost(limits.stopCharacters, sum(stops), 'characters of stop strings')
  for (const part of parts) if (isFields(part)) requireFewLeads(part['input_ecg'], limits)
}

/** Counts the files, labels and ECGs of a diagnosis. @throws SERVER_LIMIT_EXCEEDED */
export function requireFewFiles(body: unknown, limits: ServerLimits): void {
  if (!isFields(body)) return
  requireAtMost(limits.files, listOf(body['files']).length, 'files')
  requireAtMost(limits.rows, listOf(body['labels']).length, 'labels')
  requireAtMost(limits.files, listOf(body['ecgs']).length, 'ECGs')
  for (const ecg of listOf(body['ecgs'])) requireFewLeads(ecg, limits)
}

function requireFewLeads(ecg: unknown, limits: ServerLimits): void {
  const leads = isFields(ecg) ? ecg['leads'] : undefined
  if (!isFields(leads)) return
  requireAtMost(limits.leads, Object.keys(leads).length, 'leads')
  requireAtMost(limits.ecgSamples, sum(Object.values(leads).map(lead => listOf(lead).length)), 'ECG samples')
}

/** Counts the rows of a reward request, or the responses of an advantage request. @throws SERVER_LIMIT_EXCEEDED */
export function requireFewRows(body: unknown, limits: Pick<ServerLimits, 'rows' | 'tokens'>): void {
  if (!isFields(body)) return
  requireAtMost(limits.rows, listOf(body['rows']).length, 'rows')
  for (const [name, { shape }] of Object.entries(rewardBatchFields)) {
    const values = listOf(body[name])
    requireAtMost(limits.rows, values.length, 'responses')
    if (shape === 'token-numbers') requireAtMost(limits.tokens, sum(values.map(row => listOf(row).length)), 'tokens')
  }
}

/** What brackets a body may have. */
export type BracketLimits = Pick<ServerLimits, 'nesting' | 'brackets'>

/**
 * Refuses a body whose brackets nest too deep or are too many, before it is parsed.
 *
 * @throws SERVER_LIMIT_EXCEEDED
 */
export function requireFlat(text: string, { nesting, brackets }: BracketLimits): void {
  let [depth, opened, isText] = [0, 0, false]
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (isText) {
      if (code === 0x5c) i++
      else if (code === 0x22) isText = false
    } else if (code === 0x22) isText = true
    else if (code === 0x5b || code === 0x7b) {
      requireAtMost(nesting, ++depth, 'nested brackets')
      requireAtMost(brackets, ++opened, 'brackets')
    } else if (code === 0x5d || code === 0x7d) depth--
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

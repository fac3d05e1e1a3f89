import type { Literal } from '../parse/literal.ts'
import type { ParsedResponse } from '../parse/parsed-response.ts'
import { releaseJson, releasePython, type ReleaseValue } from './release-json.ts'
import type { Score } from '../reward.ts'

const lineBreak = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/
const fence = '```'

/**
 * The public code's graded format reward: .2 for a code fence, .1 for one marked json, .2 for valid JSON (.1 for a
 * Python literal), .1 for a list, and .4 times the share of entries with a label and four numbers. It does not look at
 * the labels.
 */
export function releaseFormat(response: ParsedResponse): Score {
  const { text } = response
  const fences = text.includes(fence) ? (text.includes(`${fence}json`) ? 0.3 : 0.2) : 0
  const content = fencedText(text)
  const block = content === '' ? undefined : (releaseJson(content) ?? releasePython(content))
  if (block === undefined) return { score: fences }
  const parsed = fences + (block.dialect === 'json' ? 0.2 : 0.1)
  if (!isReleaseList(block.value, block)) return { score: parsed }
  const valid = block.value.filter(entry => isValidEntry(entry, block)).length
  return { score: Math.min(1, parsed + 0.1 + (valid === 0 ? 0 : 0.4 * (valid / block.value.length))) }
}

/** What follows the first line that is a fence, up to the next fence; the whole text where there is no such line. */
function fencedText(text: string): string {
  const lines = text.split(lineBreak)
  const first = lines.findIndex(line => line === `${fence}json` || line.trim() === fence)
  return first < 0
    ? text
    : (lines
        .slice(first + 1)
        .join('\n')
        .split(fence, 1)[0] ?? '')
}

function isValidEntry(entry: Literal, block: ReleaseValue): boolean {
  if (typeof entry !== 'object' || entry === null || !('bbox_2d' in entry) || !('label' in entry)) return false
  const box = entry.bbox_2d
  return isReleaseList(box, block) && box.length === 4 && box.every(isPythonNumber)
}

function isPythonNumber(value: Literal): boolean {
  return typeof value === 'number' || typeof value === 'boolean'
}

function isReleaseList(value: Literal | undefined, block: ReleaseValue): value is readonly Literal[] {
  return Array.isArray(value) && !block.tuples.has(value)
}

import { collectBoxes, hasBoxEntry, type BoxSink } from './box-entries.ts'
import { readJson, readLiteral, skipSpace } from './literal.ts'

const fence = '```'
const language = /[ \t]*([A-Za-z][\w+-]*)(?=[\s[{(`]|$)/y

/**
 * Collects the boxes of a text into `sink`: those of its fenced JSON blocks, or, where no fence holds any, those of
 * JSON that stands in the text itself. Reads every character a bounded number of times.
 */
export function collectBlocks(text: string, sink: BoxSink): void {
  const outside: string[] = []
  let [block, at] = [0, 0]
  for (;;) {
    const open = text.indexOf(fence, at)
    outside.push(text.slice(at, open < 0 ? text.length : open))
    if (open < 0) break
    const close = text.indexOf(fence, open + fence.length)
    if (close < 0) sink.problems.report({ type: 'fence-unclosed', block })
    block += collectFence(text.slice(open + fence.length, close < 0 ? text.length : close), close >= 0, block, sink)
    if (close < 0) break
    at = close + fence.length
  }
  if (sink.boxes.length === 0) for (const part of outside) block = collectBare(part, block, sink)
}

/** Reads the values of one fence; returns 1 where the fence was meant as JSON, so that blocks are numbered. */
function collectFence(content: string, isClosed: boolean, block: number, sink: BoxSink): number {
  language.lastIndex = 0
  const tag = language.exec(content)?.[1]?.toLowerCase()
  let at = skipSpace(content, tag === undefined ? 0 : language.lastIndex)
  const isMeant = tag === 'json' || '[{('.includes(content[at] ?? ' ')
  if (!isMeant) return 0
  const json = readJson(content.slice(at))
  if (json !== undefined) {
    collectBoxes(json, block, sink)
    return 1
  }
  for (let values = 0; at < content.length; values++) {
    const reading = readLiteral(content, at)
    if (reading === undefined) {
      if (values === 0 || isClosed)
        sink.problems.report({ type: values === 0 ? 'json-invalid' : 'json-trailing', block })
      return 1
    }
    collectBoxes(reading.value, block, sink)
    at = skipSpace(content, reading.end)
  }
  return 1
}

function collectBare(text: string, firstBlock: number, sink: BoxSink): number {
  let block = firstBlock
  for (const [start, end] of balancedRegions(text)) {
    const reading = readLiteral(text.slice(start, end))
    if (reading !== undefined && hasBoxEntry(reading.value)) collectBoxes(reading.value, block++, sink)
    else if (reading === undefined && text.slice(start, end).includes('bbox_2d')) {
      sink.problems.report({ type: 'json-invalid', block: block++ })
    }
  }
  return block
}

/** The outermost balanced `[…]` and `{…}` of a text, in order; a bracket without a partner is skipped. */
function balancedRegions(text: string): [start: number, end: number][] {
  const open: number[] = []
  const regions: [number, number][] = []
  const bracket = /[[\]{}]/g
  for (let found = bracket.exec(text); found !== null; found = bracket.exec(text)) {
    if (found[0] === '[' || found[0] === '{') open.push(found.index)
    else if (text[open.at(-1) ?? -1] === (found[0] === ']' ? '[' : '{')) {
      const start = open.pop() ?? 0
      while ((regions.at(-1)?.[0] ?? -1) > start) regions.pop()
      regions.push([start, found.index + 1])
    }
  }
  return regions
}
